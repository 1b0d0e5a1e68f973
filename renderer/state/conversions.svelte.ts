// The queue of conversions as the app tells it. It lives in the app: leaving the view or reloading the window changes nothing.
import type { ContractError, ConversionJob } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** A stream that was lost is opened again after this pause. */
const REOPEN_MS = 1_000

/** Orders to the queue by the name of their call. */
type Order = 'conversions.cancel' | 'conversions.retry' | 'conversions.remove' | 'conversions.show'

/** All conversions, newest last. */
export class Conversions {
  #jobs = $state.raw<readonly ConversionJob[]>([])
  readonly #client: Client
  readonly #ended: (job: ConversionJob) => void

  /** `ended` is told of every conversion that ends while the window looks. */
  constructor(client: Client, ended: (job: ConversionJob) => void) {
    this.#client = client
    this.#ended = ended
  }

  get jobs(): readonly ConversionJob[] {
    return this.#jobs
  }

  /** How many run or wait. */
  get ahead(): number {
    return this.#jobs.filter(({ state }) => state === 'running' || state === 'queued').length
  }

  /** Follows the queue until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const ended = (): boolean => signal.aborted
    while (!ended()) {
      try {
        for await (const event of this.#client.stream('conversions.watch', {}, signal)) {
          if (event.type === 'all') this.#jobs = event.jobs
          else if (event.type === 'removed') this.#jobs = this.#jobs.filter(({ id }) => !event.jobIds.includes(id))
          else this.#take(event.job)
        }
      } catch {
        // The connection tells the person; here it is only tried again.
      }
      if (ended()) return
      await new Promise((resolve) => setTimeout(resolve, REOPEN_MS))
    }
  }

  /** Gives an order about one job. Returns the error where it was refused. */
  async order(name: Order, jobId: string): Promise<ContractError | null> {
    try {
      await this.#client.call(name, { jobId })
      return null
    } catch (thrown) {
      return toContractError(thrown)
    }
  }

  /** Takes everything that has ended off the list. */
  async clear(): Promise<ContractError | null> {
    try {
      await this.#client.call('conversions.clear', {})
      return null
    } catch (thrown) {
      return toContractError(thrown)
    }
  }

  #take(job: ConversionJob): void {
    const before = this.#jobs.find(({ id }) => id === job.id)
    this.#jobs = before === undefined ? [...this.#jobs, job] : this.#jobs.map((each) => (each.id === job.id ? job : each))
    const wasAhead = before?.state === 'running' || before?.state === 'queued'
    if (wasAhead && (job.state === 'done' || job.state === 'failed')) this.#ended(job)
  }
}

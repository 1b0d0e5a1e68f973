// The queue of conversions: one at a time, each in a process of its own, kept on disk so that a window or a restart loses none.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type {
  ContractError,
  ConversionJob,
  ConversionOrder,
  ConversionPreview,
  ConversionProof,
  ConversionsEvent,
} from '../../preload/contract'
import type { ConvertProgress, PlacedOrder } from '../engine/workbench-protocol'
import type { Clock, Log } from '../host'
import { openJsonFile } from '../json-file'
import { contractErrorOf, reasonOf, serviceError } from '../service-error'
import { afterRestart, jobsSchema, MAX_JOBS } from './job-file'
import { createSpeedMeter } from './speed'

/** What the queue needs of the workbench; an abort stops a conversion and lets it clean up. */
export interface ConversionRunner {
  readonly plan: (order: PlacedOrder) => Promise<ConversionPreview>
  readonly convert: (
    order: PlacedOrder,
    options: { readonly onProgress: (progress: ConvertProgress) => void; readonly signal: AbortSignal },
  ) => Promise<ConversionProof>
}

/** Conversions of this machine. `asyncDispose` stops the running one where it is; the next start finds it interrupted. */
export interface ConversionsService extends AsyncDisposable {
  readonly plan: (order: ConversionOrder) => Promise<ConversionPreview>
  /** Throws "conversions/too-many", "conversions/same-place". */
  readonly start: (order: ConversionOrder) => Promise<ConversionJob>
  /** Throws "conversions/not-found". */
  readonly cancel: (jobId: string) => void
  /** Throws "conversions/not-found", "conversions/not-ended". */
  readonly retry: (jobId: string) => ConversionJob
  /** Throws "conversions/not-found", "conversions/still-running". */
  readonly remove: (jobId: string) => void
  readonly clear: () => void
  readonly jobs: () => readonly ConversionJob[]
  readonly watch: (listener: (event: ConversionsEvent) => void) => () => void
}

const NO_PROGRESS: ConversionJob['progress'] = { file: null, doneBytes: 0, totalBytes: 0, bytesPerSecond: null, leftMs: null }

/** Opens the list. Orders whose `out` is null are given the place that `suggestPlace` finds. */
export async function createConversionsService(options: {
  readonly dataFolder: string
  readonly runner: ConversionRunner
  /** Makes paths complete; throws where one cannot be. */
  readonly localPath: (path: string) => string
  readonly suggestPlace: (source: string, to: string) => Promise<string>
  readonly clock: Clock
  readonly log: Log
}): Promise<ConversionsService> {
  const { dataFolder, runner, localPath, clock, log } = options
  const file = await openJsonFile({ path: join(dataFolder, 'conversions.json'), schema: jobsSchema, fallback: { jobs: [] }, clock, log })
  let jobs: readonly ConversionJob[] = afterRestart(file.value().jobs)
  let running: { readonly id: string; readonly stop: AbortController; readonly ended: Promise<void> } | null = null
  let closed = false
  const listeners = new Set<(event: ConversionsEvent) => void>()

  const tell = (event: ConversionsEvent): void => {
    for (const listener of [...listeners]) listener(event)
  }
  const save = (): void => {
    // Its loss costs the list, not a result: the person sees the same list until the next start.
    file
      .update(() => ({ jobs: [...jobs] }))
      .catch((failure: unknown) => log.warn('the list of conversions was not saved', { reason: reasonOf(failure) }))
  }
  const find = (jobId: string): ConversionJob => {
    const job = jobs.find(({ id }) => id === jobId)
    if (job === undefined) throw serviceError('conversions/not-found', { jobId })
    return job
  }
  const change = (jobId: string, more: Partial<ConversionJob>): ConversionJob => {
    const job = { ...find(jobId), ...more }
    jobs = jobs.map((each) => (each.id === jobId ? job : each))
    tell({ type: 'changed', job })
    return job
  }
  const drop = (gone: (job: ConversionJob) => boolean): void => {
    const jobIds = jobs.filter(gone).map(({ id }) => id)
    if (jobIds.length === 0) return
    jobs = jobs.filter((job) => !gone(job))
    tell({ type: 'removed', jobIds })
    save()
  }

  async function place(order: ConversionOrder): Promise<PlacedOrder> {
    const source = localPath(order.source)
    const out = order.out === null ? await options.suggestPlace(source, order.to) : localPath(order.out)
    const { tokenizer } = order
    return { ...order, source, out, ...(tokenizer && { tokenizer: localPath(tokenizer) }) }
  }

  async function run({ id, order }: ConversionJob, stop: AbortController): Promise<void> {
    const measure = createSpeedMeter()
    change(id, { state: 'running', startedAtMs: clock.now(), endedAtMs: null, error: null, proof: null, progress: NO_PROGRESS })
    save()
    let outcome: Partial<ConversionJob>
    try {
      const proof = await runner.convert(order, {
        signal: stop.signal,
        onProgress: ({ file: name, doneBytes, totalBytes }) => {
          if (closed) return
          change(id, { progress: { file: name, doneBytes, totalBytes, ...measure({ nowMs: clock.now(), doneBytes, totalBytes }) } })
        },
      })
      outcome = { state: 'done', proof }
    } catch (failure) {
      outcome = stop.signal.aborted ? { state: 'cancelled' } : { state: 'failed', error: errorOf(failure) }
    }
    // What is stopped by closing stays 'running' on disk, which the next start reads as interrupted.
    if (closed) return
    const { progress } = find(id)
    change(id, { ...outcome, endedAtMs: clock.now(), progress: { ...progress, bytesPerSecond: null, leftMs: null } })
    save()
  }

  function next(): void {
    if (closed || running !== null) return
    const job = jobs.find(({ state }) => state === 'queued')
    if (job === undefined) return
    const stop = new AbortController()
    const ended = run(job, stop).finally(() => {
      running = null
      next()
    })
    running = { id: job.id, stop, ended }
  }

  return {
    plan: async (order) => await runner.plan(await place(order)),
    start: async (order) => {
      const placed = await place(order)
      if (jobs.length >= MAX_JOBS) throw serviceError('conversions/too-many', { limit: MAX_JOBS })
      if (jobs.some((job) => isAhead(job) && job.order.out === placed.out))
        throw serviceError('conversions/same-place', { path: placed.out })
      const job: ConversionJob = {
        id: randomUUID(),
        order: placed,
        state: 'queued',
        createdAtMs: clock.now(),
        startedAtMs: null,
        endedAtMs: null,
        progress: NO_PROGRESS,
        proof: null,
        error: null,
      }
      jobs = [...jobs, job]
      tell({ type: 'changed', job })
      save()
      next()
      return find(job.id)
    },
    cancel: (jobId) => {
      const job = find(jobId)
      if (running?.id === jobId) running.stop.abort()
      else if (job.state === 'queued') {
        change(jobId, { state: 'cancelled', endedAtMs: clock.now() })
        save()
      }
    },
    retry: (jobId) => {
      const job = find(jobId)
      if (isAhead(job) || job.state === 'done') throw serviceError('conversions/not-ended', { jobId })
      // It goes to the end of the queue, as a new one would.
      jobs = [...jobs.filter(({ id }) => id !== jobId), job]
      change(jobId, { state: 'queued', error: null, endedAtMs: null, startedAtMs: null, progress: NO_PROGRESS })
      tell({ type: 'all', jobs })
      save()
      next()
      return find(jobId)
    },
    remove: (jobId) => {
      if (isAhead(find(jobId))) throw serviceError('conversions/still-running', { jobId })
      drop(({ id }) => id === jobId)
    },
    clear: () => drop((job) => job.state === 'done' || job.state === 'failed' || job.state === 'cancelled'),
    jobs: () => jobs,
    watch: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      listeners.clear()
      await file.update((value) => value).catch(() => undefined)
    },
  }
}

function isAhead({ state }: ConversionJob): boolean {
  return state === 'queued' || state === 'running'
}

function errorOf(failure: unknown): ContractError {
  return contractErrorOf(failure) ?? { code: 'app/internal', message: String(failure), details: { name: 'conversion' } }
}

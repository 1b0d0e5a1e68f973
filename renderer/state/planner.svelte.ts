// The device plan of one model at one context length.
import type { ContractError, DevicePlan } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** A moving slider asks for a plan after this pause. */
const REPLAN_PAUSE_MS = 90

/** Plans again whenever the model or the context length changes; the last plan stays visible meanwhile. */
export class Planner {
  #modelId = $state<string | null>(null)
  #contextLength = $state<number | null>(null)
  #plan = $state.raw<DevicePlan | null>(null)
  #error = $state.raw<ContractError | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #request = 0
  #loadedId: string | null = null
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  get modelId(): string | null {
    return this.#modelId
  }

  /** Chosen length, or the plan's own where none was chosen. */
  get contextLength(): number | null {
    return this.#contextLength ?? this.#plan?.contextLength ?? null
  }

  get plan(): DevicePlan | null {
    return this.#plan
  }

  get error(): ContractError | null {
    return this.#error
  }

  /** Plans a model, a new one at its default context length; again when another model is in memory, which is what is measured. */
  async show(modelId: string, loadedId: string | null): Promise<void> {
    if (modelId === this.#modelId && loadedId === this.#loadedId && this.#plan !== null) return
    this.#loadedId = loadedId
    if (modelId !== this.#modelId) {
      this.#modelId = modelId
      this.#contextLength = null
      this.#plan = null
    }
    await this.refresh()
  }

  /** Plans the same model at another context length, after a pause. */
  setContextLength(contextLength: number): void {
    this.#contextLength = contextLength
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.refresh(), REPLAN_PAUSE_MS)
  }

  async refresh(): Promise<void> {
    const modelId = this.#modelId
    if (modelId === null) return
    const request = ++this.#request
    try {
      const plan = await this.#client.call('plan.preview', { modelId, contextLength: this.#contextLength })
      if (request !== this.#request) return
      this.#plan = plan
      this.#error = null
    } catch (thrown) {
      if (request === this.#request) this.#error = toContractError(thrown)
    }
  }
}

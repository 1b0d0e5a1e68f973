// The sheet on which it is chosen how one model is loaded: what every format takes, measuring it, and the choice.
import type { ContractError, FormatPreview, LoadChoice, LoadPreview, MatrixFormatOverride, ModelEntry } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** A moving slider asks for a preview after this pause. */
const PREVIEW_PAUSE_MS = 120

/** What is measured now; `fraction` is that of this format. */
export interface Measuring {
  readonly format: string
  readonly stage: string
  readonly fraction: number
}

type NamedFormat = NonNullable<FormatPreview['format']>

/** Open while `model` is not null. The last preview stays visible while another one is asked for. */
export class LoadSheet {
  #model = $state.raw<ModelEntry | null>(null)
  #choice = $state.raw<LoadChoice | null>(null)
  #preview = $state.raw<LoadPreview | null>(null)
  #error = $state.raw<ContractError | null>(null)
  #measuring = $state.raw<Measuring | null>(null)
  #failures = $state.raw<Readonly<Record<string, ContractError>>>({})
  #abort: AbortController | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #request = 0
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  get model(): ModelEntry | null {
    return this.#model
  }

  get choice(): LoadChoice | null {
    return this.#choice
  }

  get preview(): LoadPreview | null {
    return this.#preview
  }

  get error(): ContractError | null {
    return this.#error
  }

  get measuring(): Measuring | null {
    return this.#measuring
  }

  /** Why formats could not be measured, by format. */
  get failures(): Readonly<Record<string, ContractError>> {
    return this.#failures
  }

  /** The format that the choice means. */
  get format(): FormatPreview | null {
    const wanted = this.#choice?.weightFormat
    const formats = this.#preview?.formats ?? []
    return formats.find(({ format, suggested }) => (wanted === 'auto' ? suggested : format === wanted)) ?? formats[0] ?? null
  }

  async open(model: ModelEntry): Promise<void> {
    this.#model = model
    this.#choice = null
    this.#preview = null
    this.#error = null
    this.#failures = {}
    try {
      const choice = await this.#client.call('loading.choice', { modelId: model.id })
      if (this.#model !== model) return
      this.#choice = choice
    } catch (thrown) {
      if (this.#model === model) this.#error = toContractError(thrown)
      return
    }
    await this.refresh()
  }

  close(): void {
    this.stopMeasuring()
    clearTimeout(this.#timer)
    this.#request += 1
    this.#model = null
  }

  choose(format: NamedFormat | 'auto'): void {
    if (this.#choice !== null) this.#choice = { ...this.#choice, weightFormat: format }
  }

  /** Another context length or other overrides, which change what every format takes. */
  change(change: { readonly contextLength?: number; readonly formatOverrides?: readonly MatrixFormatOverride[] }): void {
    const before = this.#choice
    if (before === null) return
    const { contextLength = before.contextLength, formatOverrides = before.formatOverrides } = change
    this.#choice = { ...before, contextLength, formatOverrides: [...formatOverrides] }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.refresh(), PREVIEW_PAUSE_MS)
  }

  async refresh(): Promise<void> {
    const [model, choice] = [this.#model, this.#choice]
    if (model === null || choice === null) return
    const request = ++this.#request
    const { contextLength } = choice
    try {
      const formatOverrides = filled(choice.formatOverrides)
      const preview = await this.#client.call('loading.preview', { modelId: model.id, contextLength, formatOverrides })
      if (request !== this.#request) return
      this.#preview = preview
      this.#error = null
    } catch (thrown) {
      if (request === this.#request) this.#error = toContractError(thrown)
    }
  }

  /** Measures formats one after the other. */
  async measure(formats: readonly NamedFormat[]): Promise<void> {
    const [model, choice] = [this.#model, this.#choice]
    const [first] = formats
    if (model === null || choice === null || first === undefined || this.#abort !== null) return
    const abort = new AbortController()
    this.#abort = abort
    this.#failures = {}
    this.#measuring = { format: first, stage: 'start', fraction: 0 }
    const input = { modelId: model.id, formats: [...formats], formatOverrides: filled(choice.formatOverrides) }
    try {
      for await (const event of this.#client.stream('loading.measure', input, abort.signal)) {
        if (event.type === 'progress') this.#measuring = event
        else if (event.type === 'failed') this.#failures = { ...this.#failures, [event.format]: event.error }
        else await this.refresh()
      }
    } catch (thrown) {
      if (!abort.signal.aborted) this.#error = toContractError(thrown)
    } finally {
      this.#abort = null
      this.#measuring = null
    }
  }

  stopMeasuring(): void {
    this.#abort?.abort()
  }

  /** Remembers the choice. Returns the model to load, or null where it could not be kept. */
  async confirm(): Promise<ModelEntry | null> {
    const [model, choice] = [this.#model, this.#choice]
    if (model === null || choice === null) return null
    try {
      const kept = { ...choice, formatOverrides: filled(choice.formatOverrides) }
      await this.#client.call('loading.choose', { modelId: model.id, choice: kept })
    } catch (thrown) {
      this.#error = toContractError(thrown)
      return null
    }
    this.close()
    return model
  }
}

/** A row without a pattern is still being written. */
function filled(overrides: readonly MatrixFormatOverride[]): MatrixFormatOverride[] {
  return overrides.filter(({ pattern }) => pattern.trim() !== '')
}

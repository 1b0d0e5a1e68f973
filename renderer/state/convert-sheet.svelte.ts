// The sheet on which a conversion is put together: every change is planned again before anything can be started.
import type { CheckpointSummary, ContractError, ConversionOrder, ConversionPreview } from '../../preload/contract'
import type { Client } from '../api/client'
import { toContractError } from '../api/failure'

/** A typed path is planned after this pause. */
const REPLAN_PAUSE_MS = 250
/** Code of a destination where something lies already. */
const OUTPUT_EXISTS = 'convert/output-exists'

/** The order in the making, and what would come of it. */
export class ConvertSheet {
  #source = $state.raw<CheckpointSummary | null>(null)
  #order = $state.raw<ConversionOrder | null>(null)
  #preview = $state.raw<ConversionPreview | null>(null)
  #error = $state.raw<ContractError | null>(null)
  #planning = $state(false)
  /** The place that the app suggested, shown until the person writes another. */
  #suggested = $state<string | null>(null)
  readonly #client: Client
  #request = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(client: Client) {
    this.#client = client
  }

  get source(): CheckpointSummary | null {
    return this.#source
  }
  get order(): ConversionOrder | null {
    return this.#order
  }
  get preview(): ConversionPreview | null {
    return this.#preview
  }
  get error(): ContractError | null {
    return this.#error
  }
  get planning(): boolean {
    return this.#planning
  }
  /** What the field of the destination shows. */
  get out(): string {
    return this.#order?.out ?? this.#suggested ?? ''
  }
  /** True where replacing what lies at the destination is the question. */
  get asksToReplace(): boolean {
    return this.#error?.code === OUTPUT_EXISTS || this.#order?.force === true
  }
  get canStart(): boolean {
    const preview = this.#preview
    return (
      preview !== null &&
      this.#error === null &&
      !this.#planning &&
      (preview.family?.unmappedCount ?? 0) === 0 &&
      preview.neededBytes <= preview.freeBytes
    )
  }

  /** Opens the sheet: another format than the source's own, everything else as it is. A state dict without a configuration is mapped onto a family. */
  open(source: CheckpointSummary): void {
    this.#source = source
    this.#preview = null
    this.#suggested = null
    const to = source.outputs.find(({ id }) => id !== source.format)?.id ?? 'safetensors'
    this.#order = {
      source: source.path,
      to: source.format === 'safetensors' ? to : 'safetensors',
      out: null,
      dtype: null,
      maxShardBytes: null,
      stripPrefix: null,
      family: null,
      settings: {},
      quantize: null,
      include: null,
      force: false,
    }
    void this.#plan()
  }

  close(): void {
    this.#request += 1
    clearTimeout(this.#timer)
    this.#source = null
    this.#order = null
  }

  /** Changes the order and plans it again. */
  change(change: Partial<ConversionOrder>, pause = false): void {
    if (this.#order === null) return
    // Another place or format asks the question of replacing anew.
    const force = 'out' in change || 'to' in change ? false : this.#order.force
    if ('to' in change) this.#suggested = null
    this.#order = { ...this.#order, force, ...change }
    // What is planned already, or just now, is not what would be started any more.
    this.#request += 1
    this.#planning = true
    clearTimeout(this.#timer)
    if (pause) this.#timer = setTimeout(() => void this.#plan(), REPLAN_PAUSE_MS)
    else void this.#plan()
  }

  /** Answers a field of the configuration. */
  answer(name: string, value: string | number | boolean | null): void {
    if (this.#order !== null) this.change({ settings: { ...this.#order.settings, [name]: value } }, true)
  }

  /** Puts the order into the queue and closes the sheet; false where it was refused. */
  async start(): Promise<boolean> {
    if (this.#order === null || !this.canStart) return false
    try {
      await this.#client.call('conversions.start', { ...this.#order, out: this.out })
      this.close()
      return true
    } catch (thrown) {
      this.#error = toContractError(thrown)
      return false
    }
  }

  async #plan(): Promise<void> {
    const order = this.#order
    if (order === null) return
    const request = ++this.#request
    this.#planning = true
    try {
      const preview = await this.#client.call('conversions.plan', order)
      if (request !== this.#request) return
      this.#preview = preview
      this.#error = null
      if (order.out === null) this.#suggested = preview.out
    } catch (thrown) {
      if (request === this.#request) this.#error = toContractError(thrown)
    } finally {
      if (request === this.#request) this.#planning = false
    }
  }
}

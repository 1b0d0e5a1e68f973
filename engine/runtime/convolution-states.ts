// What short convolutions look back at: one small value per layer that every run replaces, with copies of it at earlier lengths, since it cannot be cut back as keys and values can.
import type { OrtRuntime, OrtValue } from './ort-types'

/** One value of [rows, hiddenSize] F32 in each of the layers `layers` (their numbers). */
export interface ConvolutionShape {
  readonly layers: readonly number[]
  readonly rows: number
  readonly hiddenSize: number
}

/** The values of all layers after `lengthTokens` tokens; `ends` where a pass of several tokens ended, as a prompt does. */
interface Snapshot {
  readonly lengthTokens: number
  readonly ends: boolean
  readonly bytes: readonly Uint8Array[]
}

/** Single tokens that can be taken back: a reply's end is where the next prompt may differ. */
const RECENT_SNAPSHOTS = 16
/** Ends of prompts and of their parts: where a conversation branches. Each is a few hundred kilobytes. */
const END_SNAPSHOTS = 64

/** The convolution states of one sequence. */
export class ConvolutionStates implements Disposable {
  readonly values: ReadonlyMap<number, OrtValue>
  #snapshots: Snapshot[] = []
  /** Length that the values belong to; null while a run that was not committed may have replaced some. */
  #lengthTokens: number | null = 0

  constructor(options: { readonly runtime: OrtRuntime; readonly shape: ConvolutionShape }) {
    const { runtime, shape } = options
    const values = new Map<number, OrtValue>()
    this.values = values
    try {
      for (const layer of shape.layers) values.set(layer, runtime.allocate({ dtype: 'F32', shape: [shape.rows, shape.hiddenSize] }))
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
    this.#clear()
  }

  /** Bytes of the values and of their copies. */
  get sizeBytes(): number {
    const one = [...this.values.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
    return one * (1 + this.#snapshots.length)
  }

  /** The longest length up to `lengthTokens` that can be gone back to. */
  reachable(lengthTokens: number): number {
    return this.#snapshots.findLast((snapshot) => snapshot.lengthTokens <= lengthTokens)?.lengthTokens ?? 0
  }

  /** Forgets all copies beyond `lengthTokens`. */
  truncate(lengthTokens: number): void {
    this.#snapshots = this.#snapshots.filter((snapshot) => snapshot.lengthTokens <= lengthTokens)
  }

  /** Makes the values those after `lengthTokens` tokens (a length that is reachable), before a run replaces them. */
  begin(lengthTokens: number): void {
    if (this.#lengthTokens !== lengthTokens) {
      const snapshot = this.#snapshots.find((one) => one.lengthTokens === lengthTokens)
      if (snapshot === undefined) this.#clear()
      else [...this.values.values()].forEach((value, index) => value.bytes.set(snapshot.bytes[index] ?? []))
    }
    this.#lengthTokens = null
  }

  /** Takes a copy after a run of `runTokens` tokens that ended at `lengthTokens`. */
  commit(lengthTokens: number, runTokens: number): void {
    this.#lengthTokens = lengthTokens
    const bytes = [...this.values.values()].map((value) => value.bytes.slice())
    this.#snapshots.push({ lengthTokens, ends: runTokens > 1, bytes })
    const recent = this.#snapshots.length - RECENT_SNAPSHOTS
    const ends = this.#snapshots.filter((snapshot) => snapshot.ends)
    const oldestEnd = ends.at(-END_SNAPSHOTS)?.lengthTokens ?? 0
    this.#snapshots = this.#snapshots.filter((one, index) => index >= recent || (one.ends && one.lengthTokens >= oldestEnd))
  }

  [Symbol.dispose](): void {
    for (const value of this.values.values()) value[Symbol.dispose]()
    this.#snapshots = []
  }

  #clear(): void {
    for (const { bytes } of this.values.values()) bytes.fill(0)
  }
}

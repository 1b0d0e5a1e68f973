// The KV cache: one key and one value buffer per layer that attention updates in place; they grow in steps, so that a short chat on a long-context model stays small.
import { engineError } from '../errors'
import { ConvolutionStates, type ConvolutionShape } from './convolution-states'
import type { KvCache } from './model-types'
import type { OrtRuntime, OrtValue } from './ort-types'

/** What one layer's buffers look like; both are [1, numKeyValueHeads, tokens, headDim] F32. `numLayers` counts those with attention; the others have convolutions. */
export interface KvCacheShape {
  readonly numLayers: number
  readonly numKeyValueHeads: number
  readonly headDim: number
  readonly convolution: ConvolutionShape | null
}

interface Layer {
  readonly key: OrtValue
  readonly value: OrtValue
}

const BYTES_PER_ELEMENT = 4
/** Growth is rounded up to this: a few sentences fit without a second step. */
const STEP_TOKENS = 256
/** Each step is at least half of what was there, so that copying stays a constant cost per token. */
const GROWTH = 1.5

/** Room to allocate when `neededTokens` must fit: whole steps, at least 1.5 times the present room, at most `limitTokens`. */
export function grownCapacity(options: {
  readonly presentTokens: number
  readonly neededTokens: number
  readonly limitTokens: number
}): number {
  const { presentTokens, neededTokens, limitTokens } = options
  const wanted = Math.max(neededTokens, Math.ceil(presentTokens * GROWTH))
  return Math.min(Math.ceil(wanted / STEP_TOKENS) * STEP_TOKENS, limitTokens)
}

/** Keys and values of one sequence. `capacityTokens` is the limit; memory is taken as the sequence grows, and growing copies what is there. */
export class GrowingKvCache implements KvCache {
  readonly capacityTokens: number
  readonly #shape: KvCacheShape
  readonly #runtime: OrtRuntime
  readonly #states: ConvolutionStates | null
  #layers: Layer[] = []
  /** The tokens whose keys and values are there. */
  #ids: number[] = []
  /** On which side of the length where rotation changes the keys were rotated; null while they are being computed anew. */
  #beyondSwitch: boolean | null = false
  #disposed = false

  constructor(options: { readonly runtime: OrtRuntime; readonly shape: KvCacheShape; readonly capacityTokens: number }) {
    this.#runtime = options.runtime
    this.#shape = options.shape
    this.capacityTokens = options.capacityTokens
    const { runtime, shape } = options
    this.#states = shape.convolution === null ? null : new ConvolutionStates({ runtime, shape: shape.convolution })
  }

  get lengthTokens(): number {
    return this.#ids.length
  }

  /** The tokens whose keys and values are valid. */
  get ids(): readonly number[] {
    return this.#ids
  }

  /** Bytes allocated now. */
  get sizeBytes(): number {
    return this.#layers.reduce((sum, { key, value }) => sum + key.bytes.length + value.bytes.length, this.#states?.sizeBytes ?? 0)
  }

  /** The buffers of layers with attention, in their order, for binding to a run. Throws "runtime/disposed". */
  get layers(): readonly Layer[] {
    if (this.#disposed) throw engineError('runtime/disposed', { what: 'A KV cache' })
    return this.#layers
  }

  /** States of the layers with convolutions, by the layer's number, for binding to a run. */
  get convolutions(): ReadonlyMap<number, OrtValue> {
    return this.#states?.values ?? new Map<number, OrtValue>()
  }

  readonly truncate = (lengthTokens: number): void => {
    const present = this.#ids.length
    if (!Number.isInteger(lengthTokens) || lengthTokens < 0 || lengthTokens > present) {
      throw engineError('runtime/cache-length', { asked: lengthTokens, present })
    }
    this.#ids.length = this.#states === null || lengthTokens === present ? lengthTokens : this.#states.reachable(lengthTokens)
    this.#states?.truncate(this.#ids.length)
  }

  /** Declares `ids` valid behind those that were there, after a run has written them; `beyondSwitch` as in `begin`. */
  commit(ids: readonly number[], beyondSwitch: boolean): void {
    this.#states?.commit(this.#ids.length + ids.length, ids.length)
    for (const id of ids) this.#ids.push(id)
    this.#beyondSwitch = beyondSwitch
  }

  /**
   * Makes room for `neededTokens` tokens, for `expectedTokens` as far as the limit allows, and the states ready for what follows. Returns the position that the run must start at: the length, or 0 where the keys
   * were rotated for a length on the other side of a switch than `beyondSwitch` says. Throws "runtime/context-overflow" above the limit, "runtime/disposed".
   */
  begin(options: { readonly neededTokens: number; readonly expectedTokens: number; readonly beyondSwitch: boolean }): number {
    const { neededTokens, expectedTokens, beyondSwitch } = options
    if (this.#disposed) throw engineError('runtime/disposed', { what: 'A KV cache' })
    if (neededTokens > this.capacityTokens) {
      throw engineError('runtime/context-overflow', { neededTokens, contextLength: this.capacityTokens })
    }
    const present = this.#ids.length
    const first = beyondSwitch === this.#beyondSwitch ? present : 0
    // A prompt that comes in parts gets its room at once: buffers outgrown on the way would leave gaps that nothing else fits into.
    this.#reserve(Math.max(neededTokens, Math.min(expectedTokens, this.capacityTokens)))
    // From here on keys are overwritten: a run that fails must not leave both rotations behind.
    if (first < present) this.#beyondSwitch = null
    this.#states?.begin(first)
    return first
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const layer of this.#layers) disposeLayer(layer)
    this.#states?.[Symbol.dispose]()
    this.#layers = []
    this.#ids = []
  }

  #reserve(neededTokens: number): void {
    const presentTokens = Math.min(...Array.from({ length: this.#shape.numLayers }, (_, index) => this.#roomOf(index)))
    if (neededTokens <= presentTokens) return
    const tokens = grownCapacity({ presentTokens, neededTokens, limitTokens: this.capacityTokens })
    // Layer by layer: old and new buffers of one layer at a time, and a failure in between leaves a cache that still works.
    for (let index = 0; index < this.#shape.numLayers; index++) if (this.#roomOf(index) < tokens) this.#grow(index, tokens)
  }

  #roomOf(index: number): number {
    return this.#layers[index]?.key.shape[2] ?? 0
  }

  #grow(index: number, tokens: number): void {
    const { numKeyValueHeads, headDim } = this.#shape
    const shape = [1, numKeyValueHeads, tokens, headDim]
    const key = this.#runtime.allocate({ dtype: 'F32', shape })
    let value: OrtValue
    try {
      value = this.#runtime.allocate({ dtype: 'F32', shape })
    } catch (error) {
      key[Symbol.dispose]()
      throw error
    }
    const old = this.#layers[index]
    if (old !== undefined) {
      this.#copy(old.key, key)
      this.#copy(old.value, value)
      disposeLayer(old)
    }
    this.#layers[index] = { key, value }
  }

  /** Copies the valid rows of every head; heads lie further apart in the larger buffer. */
  #copy(from: OrtValue, to: OrtValue): void {
    const { numKeyValueHeads, headDim } = this.#shape
    const rowBytes = headDim * BYTES_PER_ELEMENT
    const fromHeadBytes = (from.shape[2] ?? 0) * rowBytes
    const toHeadBytes = (to.shape[2] ?? 0) * rowBytes
    const validBytes = this.#ids.length * rowBytes
    for (let head = 0; head < numKeyValueHeads; head++) {
      to.bytes.set(from.bytes.subarray(head * fromHeadBytes, head * fromHeadBytes + validBytes), head * toHeadBytes)
    }
  }
}

function disposeLayer({ key, value }: Layer): void {
  key[Symbol.dispose]()
  value[Symbol.dispose]()
}

// One conversation's place in a decoder: a KV cache and the ids whose keys and values it holds, so that the next prompt reuses the common beginning.
import { engineError } from '../errors'
import type { DecoderModel, KvCache } from '../runtime/model-types'

/** A sequence of a decoder. One generation at a time; dispose frees the KV cache (after the running generation has ended). */
export class Sequence implements Disposable {
  readonly #cache: KvCache
  readonly #switchTokens: number
  readonly #stretchTokens: number
  /** Whether keys in the cache were rotated for a length at which every token changes the rotation. */
  #stretched = false
  /** Whether the keys in the cache were rotated for a length beyond the switch. */
  #beyondSwitch = false
  #ids: number[] = []
  #busy = false
  #disposed = false

  constructor(cache: KvCache, decoder: Pick<DecoderModel, 'rotationSwitchTokens' | 'rotationStretchTokens'>) {
    this.#cache = cache
    this.#switchTokens = decoder.rotationSwitchTokens ?? Infinity
    this.#stretchTokens = decoder.rotationStretchTokens ?? Infinity
  }

  /** Tokens the sequence can hold. */
  get capacityTokens(): number {
    return this.#cache.capacityTokens
  }

  /** Ids whose keys and values are in the cache. */
  get ids(): readonly number[] {
    return this.#ids
  }

  get sizeBytes(): number {
    return this.#cache.sizeBytes
  }

  /** Marks the sequence as in use until the returned function is called. Throws "generate/busy" while it is. */
  acquire(): () => void {
    if (this.#busy || this.#disposed) throw engineError('generate/busy', { what: 'A reply' })
    this.#busy = true
    return () => {
      this.#busy = false
      if (this.#disposed) this.#cache[Symbol.dispose]()
    }
  }

  /** Keeps the beginning that `promptIds` shares and whose keys are those that a run from the start would make, short of its last id (whose logits must be computed); returns how many ids are kept. */
  reuse(promptIds: readonly number[]): number {
    const limit = Math.min(this.#ids.length, promptIds.length - 1)
    let shared = 0
    const stretched = this.#stretched || promptIds.length > this.#stretchTokens
    const alike = promptIds.length > this.#switchTokens === this.#beyondSwitch && !stretched
    while (alike && shared < limit && this.#ids[shared] === promptIds[shared]) shared++
    this.#cache.truncate(shared)
    // A cache with states beside keys and values may have gone back further.
    const kept = this.#cache.lengthTokens
    this.#ids.length = kept
    if (kept === 0) this.#stretched = false
    return kept
  }

  /** Appends `ids`; logits of the last one ([vocabSize] F32) or none. `sequenceTokens` as in forward. On failure the sequence stays as it was. */
  async append(
    decoder: DecoderModel,
    options: {
      readonly ids: readonly number[]
      readonly logits: 'none' | 'last'
      readonly sequenceTokens?: number
      readonly signal?: AbortSignal
    },
  ): Promise<Float32Array> {
    const logits = await decoder.forward({ ...options, cache: this.#cache })
    for (const id of options.ids) this.#ids.push(id)
    const totalTokens = Math.max(this.#ids.length, options.sequenceTokens ?? 0)
    this.#beyondSwitch = totalTokens > this.#switchTokens
    this.#stretched ||= totalTokens > this.#stretchTokens
    return logits
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    if (!this.#busy) this.#cache[Symbol.dispose]()
  }
}

/** An empty sequence with room for `capacityTokens` tokens. */
export function createSequence(decoder: DecoderModel, options: { readonly capacityTokens: number }): Sequence {
  return new Sequence(decoder.createCache(options), decoder)
}

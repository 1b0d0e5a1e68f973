// Scores without sampling: logits of every position of given ids, and greedy decoding that does not end; for comparing engines.
import { engineError } from '../errors'
import type { DecoderModel } from '../runtime/model-types'
import { createSampler } from './sampler'

/** Refuses ids that the model cannot take. */
function checkIds(decoder: DecoderModel, ids: readonly number[]): void {
  const { vocabSize } = decoder.config
  if (ids.length === 0) throw engineError('generate/empty-prompt', { promptTokens: 0 })
  for (const id of ids) {
    if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) throw engineError('runtime/token-out-of-range', { id, vocabSize })
  }
}

/**
 * Yields logits [n, vocabSize] F32 of consecutive positions, `positionsPerPass` at a time. Positions beyond the trained length are computed too, as in Transformers.
 * Throws "generate/empty-prompt", "runtime/token-out-of-range", "runtime/aborted".
 */
export async function* positionLogits(options: {
  readonly decoder: DecoderModel
  readonly ids: readonly number[]
  readonly positionsPerPass: number
  readonly signal?: AbortSignal
}): AsyncGenerator<Float32Array, void, undefined> {
  const { decoder, ids, positionsPerPass, signal } = options
  checkIds(decoder, ids)
  using cache = decoder.createCache({ capacityTokens: ids.length })
  for (let start = 0; start < ids.length; start += positionsPerPass) {
    const part = ids.slice(start, start + positionsPerPass)
    yield await decoder.forward({ ids: part, cache, logits: 'all', sequenceTokens: ids.length, ...(signal && { signal }) })
  }
}

/**
 * The `count` ids that greedy decoding appends to `promptIds`. End-of-turn ids of the config are never chosen, so that there are always `count`:
 * Transformers' `generate` with `min_new_tokens` equal to `max_new_tokens`. Throws as positionLogits does.
 */
export async function greedyIds(options: {
  readonly decoder: DecoderModel
  readonly promptIds: readonly number[]
  readonly count: number
  readonly signal?: AbortSignal
}): Promise<number[]> {
  const { decoder, promptIds, count, signal } = options
  const capacityTokens = promptIds.length + count - 1
  checkIds(decoder, promptIds)
  const sampler = createSampler({ vocabSize: decoder.config.vocabSize, settings: { temperature: 0 }, seed: 0 })
  using cache = decoder.createCache({ capacityTokens })
  const appended: number[] = []
  let ids = promptIds
  while (appended.length < count) {
    const logits = await decoder.forward({ ids, cache, logits: 'last', ...(signal && { signal }) })
    for (const eosTokenId of decoder.config.eosTokenIds) logits[eosTokenId] = -Infinity
    const id = sampler(logits, promptIds)
    appended.push(id)
    ids = [id]
  }
  return appended
}

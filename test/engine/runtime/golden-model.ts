// A model folder with golden.safetensors, loaded for the decoder tests.
import { openCheckpoint } from '../../../engine/checkpoint/open'
import type { Checkpoint } from '../../../engine/checkpoint/types'
import type { DecoderConfig } from '../../../engine/config/decoder-config'
import { readConfigJson, readDecoderConfig } from '../../../engine/config/read-config'
import type { LoadedDecoder } from '../../../engine/runtime/decoder-model'
import { loadDecoder, type LoadDecoderInput } from '../../../engine/runtime/load-decoder'
import type { DecoderModel, KvCache } from '../../../engine/runtime/model-types'

/** What Transformers computed for a model. */
export interface Golden {
  readonly inputIds: readonly number[]
  /** [inputIds.length, vocabSize] */
  readonly logits: Float32Array
  /** Greedy ids with the end token suppressed. */
  readonly greedyIds: readonly number[]
}

function int64s(bytes: Uint8Array): readonly number[] {
  return Array.from(new BigInt64Array(bytes.slice().buffer), Number)
}

export async function readGolden(directory: string): Promise<Golden> {
  using file = await openCheckpoint(`${directory}/golden.safetensors`)
  return {
    inputIds: int64s(await file.read('input_ids')),
    logits: new Float32Array((await file.read('logits')).slice().buffer),
    greedyIds: int64s(await file.read('greedy_ids')),
  }
}

/** A model folder, read but not loaded. */
export async function readModel(
  directory: string,
): Promise<{ readonly directory: string; readonly checkpoint: Checkpoint; readonly config: DecoderConfig }> {
  return { directory, checkpoint: await openCheckpoint(directory), config: readDecoderConfig(await readConfigJson(directory)) }
}

export async function loadModelFolder(directory: string, options: Partial<LoadDecoderInput> = {}): Promise<LoadedDecoder> {
  const model = await readModel(directory)
  using _checkpoint = model.checkpoint
  return await loadDecoder({ ...model, ...options })
}

export function standardDeviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}

export function maxDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity
  return a.reduce((max, value, index) => Math.max(max, Math.abs(value - (b[index] ?? NaN))), 0)
}

/** Logits [ids.length, vocabSize] over a cache of their own, of passes with `partTokens` ids each. */
export async function logitsInParts(model: LoadedDecoder, ids: readonly number[], partTokens: number): Promise<Float32Array> {
  using cache = model.createCache({ capacityTokens: ids.length })
  const out = new Float32Array(ids.length * model.config.vocabSize)
  for (let start = 0; start < ids.length; start += partTokens) {
    const part = await model.forward({ ids: ids.slice(start, start + partTokens), cache, logits: 'all', sequenceTokens: ids.length })
    out.set(part, start * model.config.vocabSize)
  }
  return out
}

function bestId(logits: Float32Array, suppressed: readonly number[]): number {
  let best = -1
  logits.forEach((value, id) => {
    if (!suppressed.includes(id) && (best < 0 || value > (logits[best] ?? -Infinity))) best = id
  })
  return best
}

/** Feeds the prompt at once and then one id at a time. */
export async function greedyIds(
  model: DecoderModel,
  options: { readonly cache: KvCache; readonly promptIds: readonly number[]; readonly count: number },
): Promise<readonly number[]> {
  const { cache, promptIds, count } = options
  const chosen: number[] = []
  let ids = promptIds
  while (chosen.length < count) {
    const id = bestId(await model.forward({ ids, cache, logits: 'last' }), model.config.eosTokenIds)
    chosen.push(id)
    ids = [id]
  }
  return chosen
}

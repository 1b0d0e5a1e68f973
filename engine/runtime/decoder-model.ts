// A loaded decoder: forward passes over one session, in chunks, with KV caches that live in place.
import type { DecoderConfig, LayerConfig } from '../config/decoder-config'
import { engineError } from '../errors'
import { DECODER_IO } from '../graph/decoder-io'
import { checkIds, checkLogitsSize } from './forward-checks'
import type { WeightFormatName } from '../graph/weight-format'
import { GrowingKvCache } from './kv-cache'
import type { DecoderModel, KvCache, LogitsRequest } from './model-types'
import type { OrtRuntime, OrtSession, OrtValue } from './ort-types'
import { cacheHeadDim } from '../graph/blocks/heads'
import { ropeStretchTokens, ropeSwitchTokens } from '../graph/rope/frequencies'
import { RopeCache } from './rope-cache'
import { ScratchValues } from './scratch-values'

/** A decoder with what loading it had to say. */
export interface LoadedDecoder extends DecoderModel {
  /** Remarks for people: tensors of the checkpoint that the family does not use. */
  readonly notes: readonly string[]
  /** How the weights are computed with; null where the graph came with its own. */
  readonly format: WeightFormatName | null
}

/** What a decoder is made of; it owns the session. */
export interface DecoderParts {
  readonly config: DecoderConfig
  readonly runtime: OrtRuntime
  readonly session: OrtSession
  readonly weightBytes: number
  readonly format: WeightFormatName
  readonly notes: readonly string[]
  readonly prefillChunkTokens: number
  /** Whether the graph asks for the first position, because rotation is a node of its own. */
  readonly usesPositionOffset: boolean
}

interface ForwardOptions {
  readonly ids: readonly number[]
  readonly cache: KvCache
  readonly logits: LogitsRequest
  readonly sequenceTokens?: number
  readonly signal?: AbortSignal
}

/** One run: ids at positions from `firstPosition`, and which of its rows get logits. */
interface Chunk {
  readonly ids: readonly number[]
  readonly firstPosition: number
  readonly logitsRows: readonly number[]
  readonly tables: readonly { readonly cos: OrtValue; readonly sin: OrtValue }[]
  readonly signal: AbortSignal | undefined
}

const NO_LOGITS = new Float32Array(0)

/** A decoder over ONNX Runtime. Passes take turns; disposing it takes effect when those already asked for have ended. */
export class OrtDecoder implements LoadedDecoder {
  readonly config: DecoderConfig
  readonly runtimeKind: OrtRuntime['kind']
  readonly weightBytes: number
  readonly notes: readonly string[]
  readonly format: WeightFormatName
  readonly rotationSwitchTokens: number | null
  readonly rotationStretchTokens: number | null
  readonly #parts: DecoderParts
  readonly #ropes: readonly RopeCache[]
  readonly #scratch: ScratchValues
  /** Numbers of the layers with keys and values, and of those with convolutions. */
  readonly #attentionLayers: readonly number[]
  readonly #convolutionLayers: readonly number[]
  #lastTurn: Promise<void> = Promise.resolve()
  #disposed = false

  constructor(parts: DecoderParts) {
    this.config = parts.config
    this.runtimeKind = parts.runtime.kind
    this.weightBytes = parts.weightBytes
    this.notes = parts.notes
    this.format = parts.format
    this.rotationSwitchTokens = parts.config.ropes.map(ropeSwitchTokens).find((tokens) => tokens !== null) ?? null
    this.rotationStretchTokens = parts.config.ropes.map(ropeStretchTokens).find((tokens) => tokens !== null) ?? null
    this.#parts = parts
    this.#ropes = parts.config.ropes.map((rope) => new RopeCache({ runtime: parts.runtime, rope }))
    this.#attentionLayers = layersWith(parts.config, 'attention')
    this.#convolutionLayers = layersWith(parts.config, 'convolution')
    this.#scratch = new ScratchValues(parts.runtime)
  }

  readonly createCache = (options: { readonly capacityTokens: number }): KvCache => {
    const { numKeyValueHeads, convolution, hiddenSize } = this.config
    const shape = {
      numLayers: this.#attentionLayers.length,
      numKeyValueHeads,
      headDim: cacheHeadDim(this.config),
      convolution: convolution === null ? null : { layers: this.#convolutionLayers, rows: convolution.kernel - 1, hiddenSize },
    }
    return new GrowingKvCache({ runtime: this.#parts.runtime, shape, capacityTokens: options.capacityTokens })
  }

  readonly forward = async (options: ForwardOptions): Promise<Float32Array> => {
    if (this.#disposed) throw engineError('runtime/disposed', { what: 'A model' })
    const turn = this.#lastTurn.then(() => this.#forward(options))
    this.#lastTurn = turn.then(ignore, ignore)
    return await turn
  };

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    void this.#lastTurn.then(() => {
      for (const rope of this.#ropes) rope[Symbol.dispose]()
      this.#scratch[Symbol.dispose]()
      this.#parts.session[Symbol.dispose]()
    })
  }

  async #forward({ ids, cache, logits, sequenceTokens = 0, signal }: ForwardOptions): Promise<Float32Array> {
    if (!(cache instanceof GrowingKvCache)) throw engineError('runtime/foreign-value', { name: 'cache' })
    const { vocabSize } = this.config
    checkIds(ids, vocabSize)
    const rows = logits === 'all' ? ids.length : logits === 'last' ? 1 : 0
    checkLogitsSize(rows, vocabSize)
    const start = cache.lengthTokens
    const end = start + ids.length
    const totalTokens = Math.max(end, sequenceTokens)
    const beyondSwitch = totalTokens > (this.rotationSwitchTokens ?? Infinity)
    const first = cache.begin({ neededTokens: end, expectedTokens: totalTokens, beyondSwitch })
    // Keys that were rotated for the other side of a switch are computed anew from their tokens.
    const all = first === start ? ids : [...cache.ids, ...ids]
    const tables = this.#ropes.map((rope) => rope.prepare({ firstPosition: first, endPosition: end, sequenceTokens: totalTokens }))
    const out = rows === 0 ? NO_LOGITS : new Float32Array(rows * vocabSize)
    const wantedFrom = end - rows
    let filled = 0
    for (let position = first; position < end;) {
      const chunk = all.slice(position - first, position - first + this.#parts.prefillChunkTokens)
      const chunkStart = position
      const logitsRows = chunk.map((_, row) => row).filter((row) => chunkStart + row >= wantedFrom)
      filled += await this.#run(cache, { ids: chunk, firstPosition: position, logitsRows, tables, signal }, out.subarray(filled))
      position += chunk.length
    }
    cache.commit(ids, beyondSwitch)
    return out
  }

  /** Runs one chunk and copies its logits to the beginning of `out`; returns how many numbers that were. */
  async #run(cache: GrowingKvCache, chunk: Chunk, out: Float32Array): Promise<number> {
    const rows = chunk.logitsRows.length
    const shape = [rows, this.config.vocabSize]
    const own = rows === 1 ? this.#scratch.take(DECODER_IO.logits, { dtype: 'F32', shape }) : null
    const outputs: Record<string, OrtValue | null> = { [DECODER_IO.logits]: own }
    const inputs = this.#inputs(chunk)
    cache.convolutions.forEach((state, layer) => {
      inputs[DECODER_IO.pastConvolution(layer)] = state
      outputs[DECODER_IO.presentConvolution(layer)] = state
    })
    cache.layers.forEach(({ key, value }, index) => {
      const layer = this.#attentionLayers[index] ?? index
      inputs[DECODER_IO.pastKey(layer)] = key
      inputs[DECODER_IO.pastValue(layer)] = value
      outputs[DECODER_IO.presentKey(layer)] = key
      outputs[DECODER_IO.presentValue(layer)] = value
    })
    const { signal } = chunk
    const allocated = await this.#parts.session.run({ inputs, outputs, ...(signal === undefined ? {} : { signal }) })
    const result = own ?? allocated[DECODER_IO.logits]
    if (result !== undefined && rows > 0) {
      out.set(new Float32Array(result.bytes.buffer, result.bytes.byteOffset, rows * this.config.vocabSize))
    }
    for (const value of Object.values(allocated)) value[Symbol.dispose]()
    return rows * this.config.vocabSize
  }

  #inputs({ ids, firstPosition, logitsRows, tables }: Chunk): Record<string, OrtValue> {
    const totalTokens = firstPosition + ids.length
    return {
      [DECODER_IO.inputIds]: this.#scratch.int64(DECODER_IO.inputIds, ids),
      [DECODER_IO.logitsRows]: this.#scratch.int64(DECODER_IO.logitsRows, logitsRows),
      [DECODER_IO.seqlensK]: this.#scratch.int32(DECODER_IO.seqlensK, { shape: [1], number: totalTokens - 1 }),
      [DECODER_IO.totalSequenceLength]: this.#scratch.int32(DECODER_IO.totalSequenceLength, { shape: [], number: totalTokens }),
      ...Object.fromEntries(
        tables.flatMap(({ cos, sin }, rope) => [
          [DECODER_IO.cosCache(rope), cos],
          [DECODER_IO.sinCache(rope), sin],
        ]),
      ),
      ...(this.#parts.usesPositionOffset
        ? { [DECODER_IO.positionOffset]: this.#scratch.int64(DECODER_IO.positionOffset, [firstPosition]) }
        : {}),
    }
  }
}

function layersWith({ layers }: DecoderConfig, mixer: LayerConfig['mixer']): readonly number[] {
  return layers.flatMap((layer, index) => (layer.mixer === mixer ? [index] : []))
}

function ignore(): void {
  // A pass's failure belongs to its own caller; the next one only waits for its end.
}

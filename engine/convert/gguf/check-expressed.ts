// Whether a GGUF file says what the model computes: its metadata is read back as any reader would, and compared wherever the result depends on it.
import type { Checkpoint, TensorInfo } from '../../checkpoint/types'
import type { GgufValue } from '../../checkpoint/gguf/values'
import type { GgufEntries } from '../../checkpoint/writers/gguf-entries'
import type { DecoderConfig, LayerConfig } from '../../config/decoder-config'
import { readGgufConfig } from '../../config/gguf/gguf-config'
import { engineError } from '../../errors'
import { ropeFrequencies } from '../../graph/rope/frequencies'

/** Metadata holds numbers as F32. */
const TOLERANCE = 1e-5

const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b))

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return isClose(a, b)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const [own, other] = [Object.entries(a), new Map(Object.entries(b))]
  return own.length === other.size && own.every(([key, value]) => other.has(key) && isSame(value, other.get(key)))
}

/** A window as wide as the context does nothing. */
const windowOf = ({ window }: LayerConfig, contextTokens: number): number | null =>
  window !== null && window < contextTokens ? window : null

/** Frequencies and scale of a layer's rotation, of the shortest and the longest sequence. */
function rotation(config: DecoderConfig, { rope: index }: LayerConfig, contextTokens: number): unknown {
  const rope = index === null ? undefined : config.ropes[index]
  if (rope === undefined) return null
  return [1, contextTokens].map((tokens) => {
    const { inverse, attentionScaling } = ropeFrequencies(rope, tokens)
    return { dim: rope.dim, inverse: [...inverse], attentionScaling }
  })
}

/** What a decoder computes with, apart from where and in what order its weights lie. */
function computed(config: DecoderConfig, contextTokens: number): Readonly<Record<string, unknown>> {
  const { attention, feedForward, norm, residual, embedding, head, layers, experts } = config
  return {
    'these sizes': [config.hiddenSize, config.intermediateSize, config.numAttentionHeads, config.numKeyValueHeads, config.headDim],
    'this norm': [norm.kind, norm.bias, norm.weight, norm.eps],
    'residuals of this kind': [residual.kind, residual.takes, residual.multiplier],
    'an embedding of this scale': [embedding.scale, embedding.positions],
    [`the activation ${feedForward.activation}`]: [feedForward.kind, feedForward.activation],
    'these biases': [attention.bias, feedForward.bias, head.bias],
    'a cap of the scores': [attention.softCap, attention.clip, attention.sinks, attention.queryScaling],
    'biases over distance': attention.alibi,
    'norms of queries and keys': attention.queryKeyNorm === null ? null : [attention.queryKeyNorm.scope, attention.queryKeyNorm.afterRope],
    'logits of this scale': [head.scale, head.softCap],
    experts: experts === null ? null : [experts.count, experts.perToken],
    'scores of this scale': layers.map(({ scale }) => scale),
    'its sliding window': layers.map((layer) => windowOf(layer, contextTokens)),
    'its rotary scaling': layers.map((layer) => rotation(config, layer, contextTokens)),
  }
}

/**
 * Checks that a reader of the file gets the same decoder. `names` gives the file's tensor names by those of `checkpoint`; `contextTokens` is the context that the file announces.
 * Throws "convert/gguf-not-expressible" with what differs.
 */
export async function checkExpressed(
  config: DecoderConfig,
  file: {
    readonly entries: GgufEntries
    readonly checkpoint: Checkpoint
    readonly names: ReadonlyMap<string, string>
    readonly contextTokens: number
  },
): Promise<void> {
  const { entries, checkpoint, names, contextTokens } = file
  const metadata = new Map<string, GgufValue>()
  for (const [key, value] of entries) if ('value' in value) metadata.set(key, value)
  const tensors = new Map<string, TensorInfo>()
  const sources = new Map<string, string>()
  for (const [source, target] of names) {
    const tensor = checkpoint.tensors.get(source)
    if (tensor !== undefined) tensors.set(target, { ...tensor, name: target })
    sources.set(target, source)
  }
  const read: Checkpoint['read'] = (name, options) => checkpoint.read(sources.get(name) ?? name, options)
  const found = computed(await readGgufConfig({ path: 'the GGUF file', metadata, checkpoint: { tensors, read } }), contextTokens)
  for (const [what, value] of Object.entries(computed(config, contextTokens)))
    if (!isSame(value, found[what])) throw engineError('convert/gguf-not-expressible', { what })
}

// config.json as GGUF metadata. Keys follow the GGUF specification and llama.cpp (convert_hf_to_gguf.py).
import type { GgufEntries, GgufEntryValue } from '../../checkpoint/writers/gguf-entries'
import type { DecoderConfig, RopeScaling } from '../../config/decoder-config'
import { engineError } from '../../errors'

const u32 = (value: number): GgufEntryValue => ({ type: 'u32', value })
const f32 = (value: number): GgufEntryValue => ({ type: 'f32', value })
const text = (value: string): GgufEntryValue => ({ type: 'string', value })

/** general.file_type: what most tensors are. */
const FILE_TYPES: Readonly<Record<string, number>> = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 7, BF16: 32 }

/** Whether a longrope scales all lengths alike, as rotary factors that were read from a GGUF file do. */
function isOneTable({
  shortFactor,
  longFactor,
  attentionFactor,
  longAttentionFactor,
}: Extract<RopeScaling, { kind: 'longrope' }>): boolean {
  return attentionFactor === 1 && longAttentionFactor === 1 && shortFactor.join() === longFactor.join()
}

function scalingEntries(scaling: RopeScaling, key: (name: string) => string): GgufEntries {
  switch (scaling.kind) {
    case 'default':
      return []
    case 'llama3':
      // Its factors are a tensor of their own.
      return []
    case 'linear':
      return [
        [key('rope.scaling.type'), text('linear')],
        [key('rope.scaling.factor'), f32(scaling.factor)],
      ]
    case 'yarn':
      return [
        [key('rope.scaling.type'), text('yarn')],
        [key('rope.scaling.factor'), f32(scaling.factor)],
        [key('rope.scaling.original_context_length'), u32(scaling.originalMaxPositionEmbeddings)],
      ]
    case 'longrope':
      // What one table of factors says stands in a tensor alone.
      if (isOneTable(scaling)) return []
      return [
        [key('rope.scaling.type'), text('longrope')],
        [key('rope.scaling.attn_factor'), f32(scaling.attentionFactor)],
        [key('rope.scaling.original_context_length'), u32(scaling.originalMaxPositionEmbeddings)],
      ]
    default:
      throw engineError('convert/gguf-not-expressible', { what: `rotary scaling of the kind ${scaling.kind}` })
  }
}

/** llama.cpp scales scores by the size of a head; Gemma 2's model of 46 layers by the width for each head. */
function checkScale({ layers, headDim, hiddenSize, numAttentionHeads, numHiddenLayers }: DecoderConfig, architecture: string): void {
  const isLargest = architecture === 'gemma2' && numHiddenLayers === 46
  const expected = (isLargest ? hiddenSize / numAttentionHeads : headDim) ** -0.5
  const other = layers.find(({ scale }) => Math.abs(scale / expected - 1) > 1e-6)
  if (other) throw engineError('convert/gguf-not-expressible', { what: `scores scaled by ${other.scale} instead of ${expected}` })
}

/** The metadata of a decoder. Throws "convert/gguf-not-expressible" for rotary scaling, and scales of the scores, that llama.cpp reads differently. */
export function configEntries(
  config: DecoderConfig,
  options: { readonly architecture: string; readonly name: string; readonly mainDtype: string },
): GgufEntries {
  const { architecture, name, mainDtype } = options
  checkScale(config, architecture)
  const key = (suffix: string): string => `${architecture}.${suffix}`
  const [rope] = config.ropes
  const window = config.layers.find((layer) => layer.window !== null)?.window ?? null
  const { softCap } = config.attention
  const eps = config.norm.kind === 'rms' ? 'attention.layer_norm_rms_epsilon' : 'attention.layer_norm_epsilon'
  return [
    ['general.architecture', text(architecture)],
    ['general.name', text(name)],
    ['general.file_type', u32(FILE_TYPES[mainDtype] ?? 0)],
    ['general.quantization_version', u32(2)],
    [key('vocab_size'), u32(config.vocabSize)],
    [key('context_length'), u32(config.maxPositionEmbeddings)],
    [key('embedding_length'), u32(config.hiddenSize)],
    [key('block_count'), u32(config.numHiddenLayers)],
    [key('feed_forward_length'), u32(config.intermediateSize)],
    [key('attention.head_count'), u32(config.numAttentionHeads)],
    [key('attention.head_count_kv'), u32(config.numKeyValueHeads)],
    [key('attention.key_length'), u32(config.headDim)],
    [key('attention.value_length'), u32(config.headDim)],
    [key(eps), f32(config.norm.eps)],
    ...(rope
      ? ([
          [key('rope.freq_base'), f32(rope.theta)],
          [key('rope.dimension_count'), u32(rope.dim)],
          ...scalingEntries(rope.scaling, key),
        ] satisfies GgufEntries)
      : []),
    ...(window === null ? [] : ([[key('attention.sliding_window'), u32(window)]] satisfies GgufEntries)),
    ...(softCap === null ? [] : ([[key('attn_logit_softcapping'), f32(softCap)]] satisfies GgufEntries)),
    ...(config.head.softCap === null ? [] : ([[key('final_logit_softcapping'), f32(config.head.softCap)]] satisfies GgufEntries)),
  ]
}

/** Llama 3's factors of the rotary frequencies, [dim / 2]. Source: Transformers 5.18 modeling_rope_utils `_compute_llama3_parameters`, inverted as llama.cpp divides by them. */
function llama3Factors(rope: DecoderConfig['ropes'][number], scaling: Extract<RopeScaling, { kind: 'llama3' }>): Float32Array {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings: context } = scaling
  return Float32Array.from({ length: rope.dim / 2 }, (_, index) => {
    const wavelength = 2 * Math.PI * rope.theta ** ((2 * index) / rope.dim)
    if (wavelength < context / highFreqFactor) return 1
    if (wavelength > context / lowFreqFactor) return factor
    const smooth = (context / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor)
    return 1 / ((1 - smooth) / factor + smooth)
  })
}

/** Tensors of factors that divide the rotary frequencies, [dim / 2] each, by their names in GGUF: one for all lengths, or one up to the original length and one beyond it. */
export function ropeFactors(config: DecoderConfig): ReadonlyMap<string, Float32Array> {
  const [rope] = config.ropes
  if (rope?.scaling.kind === 'llama3') return new Map([['rope_freqs.weight', llama3Factors(rope, rope.scaling)]])
  if (rope?.scaling.kind !== 'longrope') return new Map()
  const { shortFactor, longFactor } = rope.scaling
  if (isOneTable(rope.scaling)) return new Map([['rope_freqs.weight', Float32Array.from(longFactor)]])
  return new Map([
    ['rope_factors_long.weight', Float32Array.from(longFactor)],
    ['rope_factors_short.weight', Float32Array.from(shortFactor)],
  ])
}

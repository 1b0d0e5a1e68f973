// Models that wrap a decoder with an encoder of images or sound: the decoder runs. Names of Transformers 5.18 and of its published checkpoints.
import type { ConfigFields } from '../config-fields'
import { optionalObject, optionalString } from '../config-fields'
import { mergeRows } from './merge-rows'
import type { FamilyRow } from './types'

/** A wrapper whose `text_config` is that of another family. */
interface Wrapper {
  /** Name for people. */
  readonly family: string
  readonly modelTypes: readonly string[]
  readonly architectures: readonly string[]
  /** The decoder's `model_type` where the file does not say. */
  readonly text: string
}

/** Every wrapper. */
export const WRAPPERS: readonly Wrapper[] = [
  { family: 'Mistral 3 with images', modelTypes: ['mistral3'], architectures: ['Mistral3ForConditionalGeneration'], text: 'mistral' },
  { family: 'Gemma 3 with images', modelTypes: ['gemma3'], architectures: ['Gemma3ForConditionalGeneration'], text: 'gemma3_text' },
  { family: 'LLaVA', modelTypes: ['llava'], architectures: ['LlavaForConditionalGeneration'], text: 'llama' },
  { family: 'LLaVA NeXT', modelTypes: ['llava_next'], architectures: ['LlavaNextForConditionalGeneration'], text: 'llama' },
  {
    family: 'LLaVA OneVision',
    modelTypes: ['llava_onevision'],
    architectures: ['LlavaOnevisionForConditionalGeneration'],
    text: 'qwen2',
  },
  { family: 'InternVL', modelTypes: ['internvl'], architectures: ['InternVLForConditionalGeneration'], text: 'qwen2' },
  { family: 'SmolVLM', modelTypes: ['smolvlm'], architectures: ['SmolVLMForConditionalGeneration'], text: 'llama' },
  { family: 'Idefics 3', modelTypes: ['idefics3'], architectures: ['Idefics3ForConditionalGeneration'], text: 'llama' },
  { family: 'LFM2 with images', modelTypes: ['lfm2_vl'], architectures: ['Lfm2VlForConditionalGeneration'], text: 'lfm2' },
  { family: 'Aya Vision', modelTypes: ['aya_vision'], architectures: ['AyaVisionForConditionalGeneration'], text: 'cohere2' },
  { family: 'Voxtral', modelTypes: ['voxtral'], architectures: ['VoxtralForConditionalGeneration'], text: 'llama' },
]

/** Parts of tensor names that belong to the encoder and to what joins it to the decoder. */
const ENCODER_TENSORS = [
  'vision_tower.',
  'vision_model.',
  'visual.',
  'audio_tower.',
  'multi_modal_projector.',
  'model.connector.',
  'image_newline',
] as const

/** Sizes of the decoders' classes that published files of wrappers leave out, as LLaVA's do. */
const CLASS_SIZES: Readonly<
  Record<string, { readonly hidden: number; readonly inner: number; readonly layers: number; readonly heads: number }>
> = {
  llama: { hidden: 4096, inner: 11_008, layers: 32, heads: 32 },
  mistral: { hidden: 4096, inner: 14_336, layers: 32, heads: 32 },
  qwen2: { hidden: 4096, inner: 22_016, layers: 32, heads: 32 },
}

function withClassSizes(row: FamilyRow, textType: string): FamilyRow {
  const sizes = Object.hasOwn(CLASS_SIZES, textType) ? CLASS_SIZES[textType] : undefined
  if (sizes === undefined) return row
  return mergeRows(row, {
    sizes: {
      hiddenSize: { field: 'hidden_size', default: sizes.hidden },
      intermediateSize: { field: 'intermediate_size', default: sizes.inner },
      numHiddenLayers: { field: 'num_hidden_layers', default: sizes.layers },
      numAttentionHeads: { field: 'num_attention_heads', default: sizes.heads },
    },
  })
}

/** What is different of a decoder inside a wrapper. The head is tied where the checkpoint holds none, whatever the two configurations say of it. */
export function wrapped(row: FamilyRow): FamilyRow {
  return mergeRows(row, {
    nested: 'text_config',
    head: { tied: true },
    // The third is what Transformers 5.18 saves of Voxtral.
    prefixes: [
      'model.language_model.',
      'language_model.model.',
      'language_model.model.model.',
      'language_model.',
      'model.text_model.',
      ...row.prefixes,
    ],
    names: { head: `language_model.${row.names.head}` },
    ignoredFields: [...row.ignoredFields, 'tie_word_embeddings', 'tie_embedding'],
    ignoredTensors: [...row.ignoredTensors, ...ENCODER_TENSORS],
  })
}

/** The row of a wrapper's decoder, or null for a file that is no wrapper's or whose decoder is of no known family. */
export function findWrapped(
  config: ConfigFields,
  search: {
    readonly modelType: string | null
    readonly architectures: readonly string[]
    readonly rows: readonly FamilyRow[]
    readonly supported: readonly string[]
  },
): { readonly modelType: string; readonly row: FamilyRow } | null {
  const { modelType, architectures, rows, supported } = search
  const wrapper = WRAPPERS.find(
    (one) => one.modelTypes.some((type) => type === modelType) || architectures.some((name) => one.architectures.includes(name)),
  )
  const [first = ''] = wrapper?.modelTypes ?? []
  if (wrapper === undefined || !supported.includes(first)) return null
  const text = optionalObject(config, 'text_config')
  const textType = (text === null ? null : optionalString(text, 'model_type')) ?? wrapper.text
  const row = rows.find(({ modelTypes }) => modelTypes.includes(textType))
  return row === undefined ? null : { modelType: first, row: wrapped(withClassSizes(row, textType)) }
}

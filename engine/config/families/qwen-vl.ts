// Qwen's decoders with images. The three axes of their positions are one where there is text only. Defaults of Transformers 5.18.
import { qwen2, qwen3 } from './llama'
import { mergeRows } from './merge-rows'
import { wrapped } from './wrappers'

const ANCHORS = ['vision_start_token_id', 'vision_end_token_id', 'vision_token_id', 'image_token_id', 'video_token_id']

/** Qwen2-VL and Qwen2.5-VL. */
export const qwen2Vl = mergeRows(wrapped(qwen2), {
  family: 'Qwen2 with images',
  modelTypes: ['qwen2_vl', 'qwen2_5_vl', 'qwen2_vl_text', 'qwen2_5_vl_text'],
  architectures: ['Qwen2VLForConditionalGeneration', 'Qwen2_5_VLForConditionalGeneration'],
  rope: { theta: 1_000_000, kinds: { mrope: 'default' } },
  ignoredFields: [...wrapped(qwen2).ignoredFields, ...ANCHORS],
})

/** Qwen3-VL. */
export const qwen3Vl = mergeRows(wrapped(qwen3), {
  family: 'Qwen3 with images',
  modelTypes: ['qwen3_vl', 'qwen3_vl_text'],
  architectures: ['Qwen3VLForConditionalGeneration'],
  sizes: { maxPositionEmbeddings: { field: 'max_position_embeddings', default: 128_000 } },
  rope: { theta: 500_000, kinds: { mrope: 'default' } },
  window: null,
  layerTypes: false,
  ignoredFields: [...wrapped(qwen3).ignoredFields, ...ANCHORS, 'layer_types'],
})

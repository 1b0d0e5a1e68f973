// The ggml type numbers of GGUF tensors. Follows ggml.h (enum ggml_type) as of gguf 0.19; 4, 5, 31-33 and 36-38 were withdrawn.
import type { BlockType } from '../../tensor/blocks/formats'
import type { Dtype } from '../../tensor/dtype'

/** What a ggml type number means: numbers of a dtype, or blocks that are dequantized. */
export type GgmlType = { readonly kind: 'dtype'; readonly dtype: Dtype } | { readonly kind: 'blocks'; readonly type: BlockType }

const dtype = (name: Dtype): GgmlType => ({ kind: 'dtype', dtype: name })
const blocks = (type: BlockType): GgmlType => ({ kind: 'blocks', type })

/** ggml types by number. */
export const GGML_TYPES: ReadonlyMap<number, GgmlType> = new Map([
  [0, dtype('F32')],
  [1, dtype('F16')],
  [2, blocks('Q4_0')],
  [3, blocks('Q4_1')],
  [6, blocks('Q5_0')],
  [7, blocks('Q5_1')],
  [8, blocks('Q8_0')],
  [9, blocks('Q8_1')],
  [10, blocks('Q2_K')],
  [11, blocks('Q3_K')],
  [12, blocks('Q4_K')],
  [13, blocks('Q5_K')],
  [14, blocks('Q6_K')],
  [15, blocks('Q8_K')],
  [16, blocks('IQ2_XXS')],
  [17, blocks('IQ2_XS')],
  [18, blocks('IQ3_XXS')],
  [19, blocks('IQ1_S')],
  [20, blocks('IQ4_NL')],
  [21, blocks('IQ3_S')],
  [22, blocks('IQ2_S')],
  [23, blocks('IQ4_XS')],
  [24, dtype('I8')],
  [25, dtype('I16')],
  [26, dtype('I32')],
  [27, dtype('I64')],
  [28, dtype('F64')],
  [29, blocks('IQ1_M')],
  [30, dtype('BF16')],
  [34, blocks('TQ1_0')],
  [35, blocks('TQ2_0')],
  [39, blocks('MXFP4')],
  [40, blocks('NVFP4')],
  [41, blocks('Q1_0')],
  [42, blocks('Q2_0')],
])

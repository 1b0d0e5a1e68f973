// The table of block formats: values and bytes of one block, and the kernel that dequantizes it. Sizes follow ggml (ggml_type_size, ggml_blck_size).
import type { DequantizeRun } from './block-run'
import {
  dequantizeIQ1_M,
  dequantizeIQ1_S,
  dequantizeIQ2_S,
  dequantizeIQ2_XS,
  dequantizeIQ2_XXS,
  dequantizeIQ3_S,
  dequantizeIQ3_XXS,
} from './codebook'
import { dequantizeMXFP4, dequantizeNVFP4 } from './four-bit-floats'
import { dequantizeQ2_K, dequantizeQ3_K, dequantizeQ4_K, dequantizeQ5_K, dequantizeQ6_K } from './k-quants'
import { dequantizeIQ4_NL, dequantizeIQ4_XS } from './nonlinear'
import {
  dequantizeQ1_0,
  dequantizeQ2_0,
  dequantizeQ4_0,
  dequantizeQ4_1,
  dequantizeQ5_0,
  dequantizeQ5_1,
  dequantizeQ8_0,
  dequantizeQ8_1,
  dequantizeQ8_K,
} from './simple'
import { dequantizeTQ1_0, dequantizeTQ2_0 } from './ternary'

/** One block format: `elements` values in `sizeBytes` bytes. */
interface BlockFormat {
  readonly elements: number
  readonly sizeBytes: number
  readonly dequantize: DequantizeRun
}

/** Block formats by ggml's name. */
export const BLOCK_FORMATS = {
  Q1_0: { elements: 128, sizeBytes: 18, dequantize: dequantizeQ1_0 },
  Q2_0: { elements: 64, sizeBytes: 18, dequantize: dequantizeQ2_0 },
  Q4_0: { elements: 32, sizeBytes: 18, dequantize: dequantizeQ4_0 },
  Q4_1: { elements: 32, sizeBytes: 20, dequantize: dequantizeQ4_1 },
  Q5_0: { elements: 32, sizeBytes: 22, dequantize: dequantizeQ5_0 },
  Q5_1: { elements: 32, sizeBytes: 24, dequantize: dequantizeQ5_1 },
  Q8_0: { elements: 32, sizeBytes: 34, dequantize: dequantizeQ8_0 },
  Q8_1: { elements: 32, sizeBytes: 36, dequantize: dequantizeQ8_1 },
  Q2_K: { elements: 256, sizeBytes: 84, dequantize: dequantizeQ2_K },
  Q3_K: { elements: 256, sizeBytes: 110, dequantize: dequantizeQ3_K },
  Q4_K: { elements: 256, sizeBytes: 144, dequantize: dequantizeQ4_K },
  Q5_K: { elements: 256, sizeBytes: 176, dequantize: dequantizeQ5_K },
  Q6_K: { elements: 256, sizeBytes: 210, dequantize: dequantizeQ6_K },
  Q8_K: { elements: 256, sizeBytes: 292, dequantize: dequantizeQ8_K },
  IQ1_S: { elements: 256, sizeBytes: 50, dequantize: dequantizeIQ1_S },
  IQ1_M: { elements: 256, sizeBytes: 56, dequantize: dequantizeIQ1_M },
  IQ2_XXS: { elements: 256, sizeBytes: 66, dequantize: dequantizeIQ2_XXS },
  IQ2_XS: { elements: 256, sizeBytes: 74, dequantize: dequantizeIQ2_XS },
  IQ2_S: { elements: 256, sizeBytes: 82, dequantize: dequantizeIQ2_S },
  IQ3_XXS: { elements: 256, sizeBytes: 98, dequantize: dequantizeIQ3_XXS },
  IQ3_S: { elements: 256, sizeBytes: 110, dequantize: dequantizeIQ3_S },
  IQ4_NL: { elements: 32, sizeBytes: 18, dequantize: dequantizeIQ4_NL },
  IQ4_XS: { elements: 256, sizeBytes: 136, dequantize: dequantizeIQ4_XS },
  TQ1_0: { elements: 256, sizeBytes: 54, dequantize: dequantizeTQ1_0 },
  TQ2_0: { elements: 256, sizeBytes: 66, dequantize: dequantizeTQ2_0 },
  MXFP4: { elements: 32, sizeBytes: 17, dequantize: dequantizeMXFP4 },
  NVFP4: { elements: 64, sizeBytes: 36, dequantize: dequantizeNVFP4 },
} as const satisfies Record<string, BlockFormat>

/** A block format as ggml names it. */
export type BlockType = keyof typeof BLOCK_FORMATS

// What a model's quantization_config says of how its matrices are packed, as far as reading them depends on it.
import type { Note } from '../../notes'

/** A group size that means "the whole row". */
export type GroupSize = number | 'row'

/** GPTQ and its successor GPTQModel: zero points are stored one too low in version 1. */
export interface GptqScheme {
  readonly method: 'gptq'
  readonly bits: 4 | 8
  readonly groupSize: GroupSize
  readonly version: 1 | 2
  /** Modules may have bits and groups of their own (GPTQModel's `dynamic`); the shapes of their parts tell. */
  readonly mixed: boolean
}

/** AWQ in its GEMM layout: 4 bits with zero points. */
export interface AwqScheme {
  readonly method: 'awq'
  readonly groupSize: GroupSize
}

/** Weights of one group of modules of a compressed-tensors model. */
export interface CompressedGroup {
  readonly format:
    'pack-quantized' | 'int-quantized' | 'float-quantized' | 'naive-quantized' | 'nvfp4-pack-quantized' | 'mxfp4-pack-quantized'
  readonly type: 'int' | 'float'
  readonly bits: 4 | 8
  readonly symmetric: boolean
  readonly strategy: 'tensor' | 'channel' | 'group' | 'block' | 'tensor_group'
  /** Columns of a group; null for strategies without groups. */
  readonly groupSize: number | null
  /** [rows, columns] of a block; null for other strategies. */
  readonly blockSize: readonly [number, number] | null
}

/** compressed-tensors, the format of llm-compressor. */
export interface CompressedScheme {
  readonly method: 'compressed-tensors'
  readonly groups: readonly CompressedGroup[]
}

/** Float8 with a scale for each block, DeepSeek's `weight_scale_inv`, or for the whole matrix. */
interface Fp8Scheme {
  readonly method: 'fp8'
  /** [rows, columns] of a block; null: one scale for all. */
  readonly blockSize: readonly [number, number] | null
}

/** bitsandbytes: int8 with a scale a row, or four-bit codebooks whose own state lies beside the weight. */
interface BitsandbytesScheme {
  readonly method: 'bitsandbytes'
  readonly bits: 4 | 8
}

/** MXFP4 as GPT-OSS is published: experts as E2M1 blocks of 32 under a power of two. */
interface Mxfp4Scheme {
  readonly method: 'mxfp4'
}

/** MLX: codes with a scale and a bias for each group of columns. `groupSizes` names modules with a group of their own. */
export interface MlxScheme {
  readonly method: 'mlx'
  readonly bits: number
  readonly groupSize: number
  readonly groupSizes: ReadonlyMap<string, number>
}

/** How a checkpoint's matrices are packed. Which ones are, its tensors tell: what a file lists as not converted is stored plainly. */
export type QuantizationScheme = (GptqScheme | AwqScheme | CompressedScheme | Fp8Scheme | BitsandbytesScheme | Mxfp4Scheme | MlxScheme) & {
  /** Remarks for people: what of the file is knowingly not taken over. */
  readonly notes: readonly Note[]
}

function groupText(size: GroupSize | null): string {
  return size === 'row' || size === null ? 'one scale a row' : `groups of ${size}`
}

function compressedText({ groups }: CompressedScheme): string {
  const texts = groups.map(({ format, type, bits, strategy, groupSize }) => {
    const scales = groupSize === null ? `a scale for each ${strategy}` : groupText(groupSize)
    return `${format}, ${type} ${bits} bits, ${scales}`
  })
  return `compressed-tensors (${[...new Set(texts)].join('; ')})`
}

/** The scheme in a few words, for people. */
export function describeScheme(scheme: QuantizationScheme): string {
  switch (scheme.method) {
    case 'gptq':
      return `GPTQ, ${scheme.bits} bits${scheme.mixed ? ' and others by module' : ''}, ${groupText(scheme.groupSize)}`
    case 'awq':
      return `AWQ, 4 bits, ${groupText(scheme.groupSize)}`
    case 'compressed-tensors':
      return compressedText(scheme)
    case 'fp8':
      return `FP8, ${scheme.blockSize === null ? 'one scale a matrix' : `blocks of ${scheme.blockSize.join(' x ')}`}`
    case 'bitsandbytes':
      return `bitsandbytes, ${scheme.bits} bits`
    case 'mxfp4':
      return 'MXFP4, blocks of 32'
    case 'mlx':
      return `MLX, ${scheme.bits} bits, ${groupText(scheme.groupSize)}`
  }
}

/** The scheme in one word, as a dtype. */
export function schemeLabel(scheme: QuantizationScheme): string {
  switch (scheme.method) {
    case 'gptq':
      return `GPTQ-${scheme.bits}bit`
    case 'awq':
      return 'AWQ-4bit'
    case 'compressed-tensors': {
      const [group] = scheme.groups
      return group === undefined ? 'compressed' : `${group.type === 'int' ? 'INT' : 'FP'}${group.bits}`
    }
    case 'fp8':
      return 'FP8'
    case 'bitsandbytes':
      return `BNB-${scheme.bits}bit`
    case 'mxfp4':
      return 'MXFP4'
    case 'mlx':
      return `MLX-${scheme.bits}bit`
  }
}

// Casts between floating-point dtypes, rounded to nearest, ties to even, as PyTorch rounds them. Values of F32 and above are exact in F64, so the loss is measured there.
import type { StoredDtype } from '../checkpoint/writers/file-layout'
import { dequantizeBlocks } from '../tensor/blocks/dequantize'
import { BLOCK_BITS, quantizeBlocks, type BlockTarget } from '../tensor/blocks/quantize'
import { decodeFloat32, decodeFloat64 } from '../tensor/decode'
import { DTYPE_BITS, type Dtype } from '../tensor/dtype'
import { halfFloatTable } from '../tensor/small-floats'

/** Dtypes that a cast can produce. */
export type CastTarget = 'F64' | 'F32' | 'F16' | 'BF16'

/** Dtypes and block formats that a cast can produce. */
export type AnyCastTarget = CastTarget | BlockTarget

/** Whether a target is a block format. */
export function isBlockTarget(dtype: StoredDtype): dtype is BlockTarget {
  return dtype === 'Q8_0' || dtype === 'Q4_0'
}

/** Bits of one element; those of a block format have a share of its scale. */
export function storedBits(dtype: StoredDtype): number {
  return isBlockTarget(dtype) ? BLOCK_BITS[dtype] : DTYPE_BITS[dtype]
}

/** What a cast lost. `maxAbsError` is over values that stayed finite; `overflowed` became infinite, `flushedToZero` became zero. */
export interface CastLoss {
  readonly maxAbsError: number
  readonly overflowed: number
  readonly flushedToZero: number
}

/** No loss. */
export const LOSSLESS: CastLoss = { maxAbsError: 0, overflowed: 0, flushedToZero: 0 }

const FLOATS: ReadonlySet<Dtype> = new Set([
  'F64',
  'F32',
  'F16',
  'BF16',
  'F8_E4M3',
  'F8_E5M2',
  'F8_E4M3FNUZ',
  'F8_E5M2FNUZ',
  'F8_E8M0',
  'F4',
])

/** Whether a cast applies: floating-point numbers that can be decoded. Whole numbers and truth values keep their dtype. */
export function isCastable(dtype: Dtype): boolean {
  return FLOATS.has(dtype)
}

const EXACT: Readonly<Record<CastTarget, ReadonlySet<Dtype>>> = {
  F64: FLOATS,
  F32: new Set([...FLOATS].filter((dtype) => dtype !== 'F64')),
  // E8M0 reaches from 2^-127 to 2^127; the other small formats fit into half precision.
  F16: new Set(['F16', 'F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'F4']),
  BF16: new Set(['BF16', 'F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'F8_E8M0', 'F4']),
}

/** Whether every value of `from` is a value of `to`. */
export function isExactCast(from: Dtype, to: AnyCastTarget): boolean {
  return !isBlockTarget(to) && EXACT[to].has(from)
}

/** Bits of the F16 nearest to an F32 given by its bits; NaN becomes the quiet NaN of its sign. Source: IEEE 754-2019, 4.3.1. */
function halfBitsOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  // 65520, half way from the largest finite value to the next one: ties go to the even side, which is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000) {
    // Normal: rebias the exponent by 112 and drop 13 bits of mantissa; a carry runs into the exponent as it should.
    const rebiased = magnitude - 0x38000000
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13)
  }
  // At most half of the smallest subnormal: zero, and the tie goes to zero, which is even.
  if (magnitude <= 0x33000000) return sign
  const shift = 126 - (magnitude >>> 23)
  const mantissa = (magnitude & 0x7fffff) | 0x800000
  const kept = mantissa >>> shift
  const rest = mantissa & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0))
}

/** Bits of the BF16 nearest to an F32 given by its bits; every NaN becomes 0x7fc0, as in PyTorch. */
function bfloatBitsOf(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

/** Adds the loss of two parts of one tensor. */
export function addLoss(left: CastLoss, right: CastLoss): CastLoss {
  return {
    maxAbsError: Math.max(left.maxAbsError, right.maxAbsError),
    overflowed: left.overflowed + right.overflowed,
    flushedToZero: left.flushedToZero + right.flushedToZero,
  }
}

/** Compares every value with what it became. */
function measureLoss(source: Float32Array | Float64Array, resultAt: (index: number) => number): CastLoss {
  let maxAbsError = 0
  let overflowed = 0
  let flushedToZero = 0
  for (let index = 0; index < source.length; index++) {
    const value = source[index] ?? 0
    const result = resultAt(index)
    if (value === result || Number.isNaN(value)) continue
    if (Number.isFinite(result)) {
      const error = Math.abs(value - result)
      if (error > maxAbsError) maxAbsError = error
      if (result === 0) flushedToZero++
    } else overflowed++
  }
  return { maxAbsError, overflowed, flushedToZero }
}

/** Elements narrowed to 16 bits, and how each code is read back. */
function narrow(values: Float32Array, to: 'F16' | 'BF16'): { readonly codes: Uint16Array; readonly decode: (code: number) => number } {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const codes = new Uint16Array(values.length)
  if (to === 'F16') {
    for (let index = 0; index < codes.length; index++) codes[index] = halfBitsOf(bits[index] ?? 0)
    const table = halfFloatTable()
    return { codes, decode: (code) => table[code] ?? NaN }
  }
  for (let index = 0; index < codes.length; index++) codes[index] = bfloatBitsOf(bits[index] ?? 0)
  const scratch = new Uint32Array(1)
  const value = new Float32Array(scratch.buffer)
  const decode = (code: number): number => {
    scratch[0] = code << 16
    return value[0] ?? NaN
  }
  return { codes, decode }
}

const bytesOf = (array: Float32Array | Float64Array | Uint16Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

const single = new Float32Array(1)
const singleBits = new Uint32Array(single.buffer)

function halfOf(value: number): number {
  single[0] = value
  return halfBitsOf(singleBits[0] ?? 0)
}

function quantize(values: Float32Array, type: BlockTarget): { readonly bytes: Uint8Array; readonly loss: CastLoss } {
  const bytes = quantizeBlocks(values, { type, toHalf: halfOf })
  const back = new Float32Array(values.length)
  dequantizeBlocks(bytes, { type, target: back })
  return { bytes, loss: measureLoss(values, (index) => back[index] ?? NaN) }
}

/**
 * Casts little-endian bytes of whole elements. F64 goes to 16 bits by way of F32, as PyTorch's `.to()` does.
 * Throws "checkpoint/undecodable-dtype" for a dtype that isCastable denies and decode does not know.
 */
export function castBytes(
  bytes: Uint8Array,
  dtypes: { readonly from: Dtype; readonly to: AnyCastTarget },
): { readonly bytes: Uint8Array; readonly loss: CastLoss } {
  const { from, to } = dtypes
  if (from === to) return { bytes, loss: LOSSLESS }
  if (isBlockTarget(to)) return quantize(decodeFloat32(bytes, from), to)
  if (to === 'F64') return { bytes: bytesOf(decodeFloat64(bytes, from)), loss: LOSSLESS }
  const singles = decodeFloat32(bytes, from)
  const source = from === 'F64' ? decodeFloat64(bytes, from) : singles
  if (to === 'F32') {
    const loss = from === 'F64' ? measureLoss(source, (index) => singles[index] ?? NaN) : LOSSLESS
    return { bytes: bytesOf(singles), loss }
  }
  const { codes, decode } = narrow(singles, to)
  const loss = isExactCast(from, to) ? LOSSLESS : measureLoss(source, (index) => decode(codes[index] ?? 0))
  return { bytes: bytesOf(codes), loss }
}

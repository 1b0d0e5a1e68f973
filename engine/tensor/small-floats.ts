// Values of the small floating-point formats. Follows OCP 8-bit Floating Point 1.0 (E4M3, E5M2), OCP Microscaling 1.0 (E2M1, E8M0) and the FNUZ variants of ONNX and ml_dtypes.

/** How a format of sign, exponent and mantissa encodes infinities and NaN. */
type SpecialValues = 'ieee' | 'all-ones-nan' | 'negative-zero-nan' | 'none'

interface SmallFloat {
  readonly exponentBits: number
  readonly mantissaBits: number
  readonly bias: number
  readonly special: SpecialValues
}

function smallFloatValue(code: number, format: SmallFloat): number {
  const { exponentBits, mantissaBits, bias, special } = format
  const sign = code >> (exponentBits + mantissaBits) === 1 ? -1 : 1
  const maxExponent = (1 << exponentBits) - 1
  const maxMantissa = (1 << mantissaBits) - 1
  const exponent = (code >> mantissaBits) & maxExponent
  const mantissa = code & maxMantissa
  if (special === 'negative-zero-nan' && sign < 0 && exponent === 0 && mantissa === 0) return NaN
  if (special === 'all-ones-nan' && exponent === maxExponent && mantissa === maxMantissa) return NaN
  if (special === 'ieee' && exponent === maxExponent) return mantissa === 0 ? sign * Infinity : NaN
  const fraction = mantissa / (1 << mantissaBits)
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias)
}

function smallFloatTable(format: SmallFloat): Float32Array {
  const codes = 1 << (1 + format.exponentBits + format.mantissaBits)
  return Float32Array.from({ length: codes }, (_, code) => smallFloatValue(code, format))
}

/** Value of every code, by dtype: 256 values, 16 for F4 and 65,536 for F16. E8M0 is a power of two without sign. */
export const SMALL_FLOAT_TABLES = {
  F4: smallFloatTable({ exponentBits: 2, mantissaBits: 1, bias: 1, special: 'none' }),
  F8_E4M3: smallFloatTable({ exponentBits: 4, mantissaBits: 3, bias: 7, special: 'all-ones-nan' }),
  F8_E5M2: smallFloatTable({ exponentBits: 5, mantissaBits: 2, bias: 15, special: 'ieee' }),
  F8_E4M3FNUZ: smallFloatTable({ exponentBits: 4, mantissaBits: 3, bias: 8, special: 'negative-zero-nan' }),
  F8_E5M2FNUZ: smallFloatTable({ exponentBits: 5, mantissaBits: 2, bias: 16, special: 'negative-zero-nan' }),
  F8_E8M0: Float32Array.from({ length: 256 }, (_, code) => (code === 255 ? NaN : 2 ** (code - 127))),
} as const satisfies Record<string, Float32Array>

let halfTable: Float32Array | null = null

/** Value of every F16 code; made on first use since it takes 256 KiB. */
export function halfFloatTable(): Float32Array {
  halfTable ??= smallFloatTable({ exponentBits: 5, mantissaBits: 10, bias: 15, special: 'ieee' })
  return halfTable
}

// The dtype table: names as safetensors writes them, and the bits of one element.
/** Bits per element by safetensors dtype name. Source: safetensors 0.8 `Dtype`. */
export const DTYPE_BITS = {
  BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, I16: 16, U16: 16, F16: 16, BF16: 16,
  I32: 32, U32: 32, F32: 32, F64: 64, I64: 64, U64: 64, C64: 64,
} as const satisfies Record<string, number>

/** A dtype as safetensors names it. */
export type Dtype = keyof typeof DTYPE_BITS

// Comparing logits: how far apart two runs are.

/** The root of the mean squared difference; Infinity where the lengths differ. */
export function rootMeanSquare(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity
  return Math.sqrt(a.reduce((sum, value, index) => sum + (value - (b[index] ?? NaN)) ** 2, 0) / a.length)
}

/** F32 values of bytes that may lie anywhere. */
export function floatsOfBytes(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer)
}

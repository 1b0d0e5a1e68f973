// Rotary tables: cos and sin by position, as GroupQueryAttention and RotaryEmbedding read them.
import type { RopeFrequencies } from './frequencies'

/** Rows `firstPosition` to `endPosition` (exclusive) of both tables. */
export interface RopeRows {
  readonly firstPosition: number
  readonly endPosition: number
}

/**
 * Writes rows of the cos and sin tables in place. cos, sin: [positions, dim / 2] F32. The angle is rounded to float32 before its cosine is taken, as torch does.
 */
export function writeRopeRows(
  tables: { readonly cos: Float32Array; readonly sin: Float32Array },
  frequencies: RopeFrequencies,
  rows: RopeRows,
): void {
  const { inverse, attentionScaling } = frequencies
  const half = inverse.length
  for (let position = rows.firstPosition; position < rows.endPosition; position++) {
    for (let pair = 0; pair < half; pair++) {
      const angle = Math.fround(position * (inverse[pair] ?? 0))
      const at = position * half + pair
      tables.cos[at] = Math.fround(Math.cos(angle)) * attentionScaling
      tables.sin[at] = Math.fround(Math.sin(angle)) * attentionScaling
    }
  }
}

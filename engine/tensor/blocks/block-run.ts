// The shape of every block kernel: whole blocks in, F32 values out. Layouts and formulas follow ggml (ggml-quants.c, gguf 0.19).

/**
 * Blocks to dequantize: `blocks` of them from the start of `source`, into `target` from `target[0]` on.
 * `half` is the value of every F16 code. Kernels compute in F64 and round once to F32, which gives ggml's F32 results
 * bit for bit: every product of a scale and a code fits 24 bits.
 */
export interface BlockRun {
  readonly source: DataView
  readonly target: Float32Array
  readonly blocks: number
  readonly half: Float32Array
}

/** A block kernel. */
export type DequantizeRun = (run: BlockRun) => void

/** The F16 at `offset`, as its value. */
export function halfAt(run: BlockRun, offset: number): number {
  return run.half[run.source.getUint16(offset, true)] ?? NaN
}

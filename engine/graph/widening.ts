// Widening: when 16-bit weights become F32, which is what the CPU's matrix kernels multiply.

/** Once, while the session is made and its constants are folded; or anew in every run, one layer at a time, which keeps memory near the checkpoint's size. */
export type Widening = 'at-load' | 'per-run'

/** F32 copies of 16-bit weights may take half of what is free; the rest is for the KV cache, the workspace and other programs. */
const MAX_SHARE_OF_FREE_MEMORY = 0.5

/** What is done where the user did not choose. `sixteenBitBytes`: bytes of the 16-bit weights as stored; their copies take twice that. */
export function chooseWidening(options: { readonly sixteenBitBytes: number; readonly freeBytes: number }): Widening {
  return 2 * options.sixteenBitBytes <= options.freeBytes * MAX_SHARE_OF_FREE_MEMORY ? 'at-load' : 'per-run'
}

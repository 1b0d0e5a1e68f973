// Limits of the pickle machine, each far above what real checkpoints need and low enough to keep memory small.

/** The largest public training checkpoints describe themselves in about 30 MB (100,000 tensors at 300 bytes). */
export const MAX_PICKLE_BYTES = 128 * 1024 * 1024
/** Python writes groups of 1,000 values; only tuples can be longer, and none in a checkpoint comes near. */
export const MAX_STACK_VALUES = 250_000
/** Python itself stops at a recursion of 1,000 when it writes a pickle. */
export const MAX_MARK_DEPTH = 1000
/** Python remembers every container and text: ten for each of 200,000 tensors. */
export const MAX_MEMO_ENTRIES = 2_000_000
/** Ten containers a tensor and 200,000 tensors. */
export const MAX_CONTAINERS = 2_000_000
/** Values put into containers: a bomb that copies references pays for each. */
export const MAX_ITEMS = 16_000_000
/** Names, keys and source code; a longer text is no part of a checkpoint's description. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024
/** Integers of a checkpoint are sizes, seeds and magic numbers; a random state has 20,000 bits at most. */
export const MAX_INTEGER_BYTES = 4096

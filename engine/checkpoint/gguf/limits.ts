// Limits on what a GGUF header may announce. Every count is also checked against the bytes that are left in the file before anything is read or allocated.

/** 262,144 tokens with scores and types take 6 MiB, the largest merge lists 15, an embedded tokenizer.json 33. */
export const MAX_HEADER_BYTES = 64 * 1024 * 1024

/** The largest public model has 91,991 tensors. */
export const MAX_TENSORS = 262_144

/** Real files have below 100 keys. */
export const MAX_KEYS = 65_536

/** Vocabularies end at about 900,000 tokens, merge lists at 500,000. */
export const MAX_ARRAY_ELEMENTS = 4 * 1024 * 1024

/** Arrays of arrays are allowed by the specification and used by nobody; deeper nesting has no meaning. */
export const MAX_ARRAY_DEPTH = 4

/** Arrays of a header, counting those inside of arrays: they take no space when empty, only time. */
export const MAX_ARRAYS = 262_144

/** A whole tokenizer.json may be stored as one string; the largest have 33 MB. */
export const MAX_STRING_BYTES = 40 * 1024 * 1024

/** The specification's own limit on keys. */
export const MAX_KEY_BYTES = 65_535

/** ggml keeps 63 bytes of a name; converters of other models than language models write longer ones. */
export const MAX_NAME_BYTES = 4096

/** ggml has 4 dimensions. */
export const MAX_DIMENSIONS = 8

/** Alignment pads between tensors; more than this would only be a way to make a small header claim much space. */
export const MAX_ALIGNMENT_BYTES = 16 * 1024 * 1024

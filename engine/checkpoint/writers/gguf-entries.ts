// Metadata of a GGUF file that is to be written. Follows the GGUF specification (ggml, docs/gguf.md), version 3.

/** A metadata value to write. */
export type GgufEntryValue =
  | { readonly type: 'u32' | 'i32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly values: readonly string[] }
  | { readonly type: 'i32s' | 'f32s'; readonly values: readonly number[] }
  | { readonly type: 'u8s'; readonly values: Uint8Array }

/** Metadata in the order in which it is written. */
export type GgufEntries = readonly (readonly [key: string, value: GgufEntryValue])[]

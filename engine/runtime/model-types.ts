// A loaded decoder as generation sees it: ids in, logits out, a KV cache between.
import type { ModelFacts } from '../config/model-facts'
import type { FormatOverride } from '../graph/format-override'
import type { WeightFormatName } from '../graph/weight-format'
import type { Widening } from '../graph/widening'
import type { OrtRuntime } from './ort-types'

/** Keys and values of the tokens seen so far; one cache is one sequence. */
export interface KvCache extends Disposable {
  /** Tokens the buffers hold room for. */
  readonly capacityTokens: number
  /** Tokens whose keys and values are valid. */
  readonly lengthTokens: number
  /** Forgets everything after the first `lengthTokens` tokens (at most the current length), or more where a state cannot be cut there: `lengthTokens` says what is left. */
  readonly truncate: (lengthTokens: number) => void
  readonly sizeBytes: number
}

/** Which positions of a forward pass get logits. */
export type LogitsRequest = 'none' | 'last' | 'all'

/** A decoder ready to run. One forward pass at a time. */
export interface DecoderModel extends Disposable {
  readonly config: ModelFacts
  readonly runtimeKind: OrtRuntime['kind']
  /** Bytes of the weights as they lie in the checkpoint. */
  readonly weightBytes: number
  /** Whether a prompt should come in one pass: parts after the first would cost as much as all before them. */
  readonly wholePrompt?: boolean
  /** Length in tokens beyond which every position rotates otherwise (`longrope`): a pass that gets to the other side computes all tokens of its cache anew. */
  readonly rotationSwitchTokens?: number | null
  /** Length in tokens beyond which every further token changes the rotation of all (`dynamic`): keys from before are then not those of a run from the start. */
  readonly rotationStretchTokens?: number | null
  /** An empty cache. `capacityTokens` is its limit; memory is taken in steps as the sequence grows. */
  readonly createCache: (options: { readonly capacityTokens: number }) => KvCache
  /**
   * Appends `ids` to the sequence of `cache`. Returns logits [n, vocabSize] F32 of the requested positions in order, or an empty array for 'none'.
   * The array is the caller's own. Throws "runtime/context-overflow" when the cache has no room, "runtime/aborted" on abort (the cache keeps its old length).
   * Where the rotation switches with the length (`rotationSwitchTokens`), the logits are those of one pass over the whole sequence, however it was fed.
   *
   * `sequenceTokens` is the length of the whole prompt where a caller feeds it in parts: rotary frequencies that depend on the length are then
   * the same for all parts. Calls made while another runs wait for their turn.
   */
  readonly forward: (options: {
    readonly ids: readonly number[]
    readonly cache: KvCache
    readonly logits: LogitsRequest
    readonly sequenceTokens?: number
    readonly signal?: AbortSignal
  }) => Promise<Float32Array>
}

/** Loads a model directory's decoder. */
export interface LoadDecoderOptions {
  /** Which binding; undefined tries the C API and falls back to the Node binding. */
  readonly runtime?: OrtRuntime['kind']
  readonly threads?: number
  /** Tokens of one run within a forward pass, default 128: a pass can be cancelled between runs. Infinity runs any prompt at once. */
  readonly prefillChunkTokens?: number
  /** When 16-bit weights become F32: once, in memory, or anew in every run, which keeps memory at the checkpoint's size. The default looks at free memory. */
  readonly widening?: Widening
  /** How weights are computed with; 'auto' chooses by what the checkpoint holds. Default: exactly, and a quantized checkpoint with its own codes. */
  readonly format?: WeightFormatName | 'auto'
  /** Formats of single matrices, by patterns over the names of tensors; the last that fits decides. */
  readonly formatOverrides?: readonly FormatOverride[]
  /** Folder of prepared weights and how large it may grow; by default one in the system's folder for caches. */
  readonly prepared?: { readonly folder?: string; readonly maxBytes?: number }
  readonly onProgress?: (progress: { readonly stage: 'weights' | 'graph' | 'prepare' | 'session'; readonly fraction: number }) => void
  readonly signal?: AbortSignal
}

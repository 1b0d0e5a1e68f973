// The memory model: what a loaded decoder takes beside its weights. Constants were calibrated against the resident memory of the engine process (docs/performance.md).
import type { DecoderConfig } from '../config/decoder-config'
import { cacheHeadDim } from '../graph/blocks/heads'

const F32_BYTES = 4
/** Tokens of one prefill run: activations grow with it (engine/generate/prefill.ts). */
export const PREFILL_CHUNK_TOKENS = 128
/** Node, ONNX Runtime's library, a tokenizer, and what a session keeps of its graph beside weights. */
export const BASE_BYTES = 112 * 1024 * 1024
/** What the allocators hold beyond what is in use: ONNX Runtime's arena grows in powers of two, the JavaScript heap is swept late. */
const ALLOCATOR_SLACK_BYTES = 8 * 1024 * 1024

/** A thread that quantizes: its JavaScript heap, the kernel's memory and two parts of a matrix. */
const PREPARING_THREAD_BYTES = 40 * 1024 * 1024
/** What of that is not given back before the model is loaded. */
const PREPARING_REST_BYTES = 24 * 1024 * 1024

/** Peak of a load that makes its prepared file first; `totalBytes` is that of one that finds it. */
export function preparingBytes({ threads, totalBytes }: { readonly threads: number; readonly totalBytes: number }): number {
  return Math.max(BASE_BYTES + threads * PREPARING_THREAD_BYTES, totalBytes + PREPARING_REST_BYTES)
}

/** Memory beside the weights, in bytes. */
export interface WorkingMemory {
  readonly kvBytes: number
  readonly workspaceBytes: number
  readonly baseBytes: number
}

/** Keys and values of `contextLength` tokens in F32: layers with attention x heads x (padded) dims x 2. What short convolutions keep is too little to count. */
export function kvCacheBytes(config: DecoderConfig, contextLength: number): number {
  const layers = config.layers.filter(({ mixer }) => mixer === 'attention').length
  return 2 * layers * config.numKeyValueHeads * cacheHeadDim(config) * contextLength * F32_BYTES
}

/**
 * Activations of one prefill chunk, its attention scores over the whole context (the peak that was measured; also what growing the last keys and values
 * takes), rotary tables of the context, biases over distance where there are any, and the scores of one position in the graph and as the caller's copy.
 */
export function workspaceBytes(config: DecoderConfig, contextLength: number): number {
  const rows = Math.min(PREFILL_CHUNK_TOKENS, contextLength)
  const projections = (config.numAttentionHeads + 2 * config.numKeyValueHeads) * config.headDim
  const rowFloats = 4 * config.hiddenSize + 2 * projections + 4 * config.intermediateSize + config.numAttentionHeads * contextLength
  const ropeFloats = config.ropes.reduce((sum, rope) => sum + contextLength * rope.dim, 0)
  const biasFloats = config.attention.alibi === null ? 0 : rows * config.numAttentionHeads * contextLength
  return F32_BYTES * (rows * rowFloats + ropeFloats + biasFloats + 2 * config.vocabSize) + ALLOCATOR_SLACK_BYTES
}

/** What a decoder takes beside its weights when its context window is full. */
export function workingMemory(config: DecoderConfig, contextLength: number): WorkingMemory {
  return { kvBytes: kvCacheBytes(config, contextLength), workspaceBytes: workspaceBytes(config, contextLength), baseBytes: BASE_BYTES }
}

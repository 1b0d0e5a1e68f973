// Error sentences of the runtime area: code -> details -> one English sentence that says what was found and what is allowed.
import { spokenSize } from './spoken-size'

export const runtimeErrors = {
  'runtime/aborted': (_: { what: string }) => `${_.what} was cancelled.`,
  'runtime/context-overflow': (d: { neededTokens: number; contextLength: number }) =>
    `The conversation needs ${d.neededTokens} tokens, but the context window holds ${d.contextLength}.`,
  'runtime/ort-unavailable': (d: { reason: string }) => `ONNX Runtime could not be opened: ${d.reason}.`,
  'runtime/ort-failed': (d: { what: string; code: string; reason: string }) => `${d.what} failed in ONNX Runtime (${d.code}): ${d.reason}`,
  'runtime/out-of-memory': (d: { neededBytes: number }) => `${spokenSize(d.neededBytes)} of memory were asked for, more than is available.`,
  'runtime/unsupported-dtype': (d: { dtype: string }) => `The element type ${d.dtype} cannot be exchanged with this runtime.`,
  'runtime/bad-shape': (d: { shape: readonly number[] }) =>
    `A tensor cannot have the shape [${d.shape.join(', ')}]: at most 32 dimensions, each a whole number from 0.`,
  'runtime/unknown-value': (d: { name: string; known: readonly string[] }) =>
    `The graph has no input or output "${d.name}"; it has ${d.known.join(', ')}.`,
  'runtime/missing-input': (d: { name: string }) => `The graph needs the input "${d.name}", which was not given.`,
  'runtime/foreign-value': (d: { name: string }) => `The value for "${d.name}" was made by another runtime.`,
  'runtime/weights-outside-model': (d: { file: string; allowedFolders: readonly string[] }) =>
    `The weight file ${d.file} lies outside of the model's own folders (${d.allowedFolders.join(', ')}).`,
  'runtime/weights-scattered': (d: { files: readonly string[] }) => `The weight files lie on different drives: ${d.files.join(', ')}.`,
  'runtime/cache-length': (d: { asked: number; present: number }) =>
    `A KV cache of ${d.present} tokens cannot be cut to ${d.asked}: a whole number from 0 to ${d.present} is allowed.`,
  'runtime/empty-input': (_: { tokens: 0 }) => 'A forward pass needs at least one token.',
  'runtime/token-out-of-range': (d: { id: number; vocabSize: number }) =>
    `The token id ${d.id} is outside of the vocabulary: whole numbers from 0 to ${d.vocabSize - 1} are allowed.`,
  'runtime/logits-too-large': (d: { tokens: number; vocabSize: number; maxBytes: number }) =>
    `Logits of ${d.tokens} positions with ${d.vocabSize} entries each are more than the ${d.maxBytes} bytes that one pass may return.`,
  'runtime/export-logits': (d: { found: readonly number[]; rows: number; vocabSize: number }) =>
    `The model gave scores of the shape [${d.found.join(', ')}]; [1, ${d.rows} or more, ${d.vocabSize}] was expected.`,
  'runtime/disposed': (d: { what: string }) => `${d.what} was used after it was disposed.`,
} satisfies Record<string, (details: never) => string>

// The time limit of tokenizing: vocabularies and expressions of strangers may be made so that a text takes for ever.
import { EngineError, engineError } from '../errors'
import { runWithin } from './time-limit'

/** A text takes a few milliseconds; what does not come to an end is stopped after this, plus a second for every MiB of text. */
export const MAX_TOKENIZE_MS = 1500
const CHARACTERS_PER_MS = 1024

/** Runs the work on a text. Throws "tokenizer/too-slow" when it takes too long, "tokenizer/segmentation-failed" for an error without a code. */
export function tokenizeWithin<T>({ path, text }: { readonly path: string; readonly text: string }, work: () => T): T {
  const maxMs = MAX_TOKENIZE_MS + Math.ceil(text.length / CHARACTERS_PER_MS)
  try {
    return runWithin(work, { maxMs, onTimeout: () => engineError('tokenizer/too-slow', { path, maxMs }) })
  } catch (cause) {
    if (cause instanceof EngineError) throw cause
    throw engineError('tokenizer/segmentation-failed', { path, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
  }
}

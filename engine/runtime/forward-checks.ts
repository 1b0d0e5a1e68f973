// What every forward pass checks before anything runs.
import { engineError } from '../errors'

/** One pass returns one typed array; more than this is a caller that should go through the positions in parts. */
const MAX_LOGITS_BYTES = 2 ** 32

/** Throws "runtime/empty-input" without ids, "runtime/token-out-of-range" for an id that is no token. */
export function checkIds(ids: readonly number[], vocabSize: number): void {
  if (ids.length === 0) throw engineError('runtime/empty-input', { tokens: 0 })
  for (const id of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) throw engineError('runtime/token-out-of-range', { id, vocabSize })
  }
}

/** Throws "runtime/logits-too-large" when the scores of `rows` positions cannot be one array. */
export function checkLogitsSize(rows: number, vocabSize: number): void {
  if (rows * vocabSize * 4 > MAX_LOGITS_BYTES)
    throw engineError('runtime/logits-too-large', { tokens: rows, vocabSize, maxBytes: MAX_LOGITS_BYTES })
}

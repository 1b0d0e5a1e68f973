// Decoding all at once is streaming without showing the deltas: this is why the two always agree.
import { engineError } from '../errors'
import type { StreamDecoder } from './types'

/** Text of all ids. Throws "tokenizer/bad-id" for a number that is no id. */
export function decodeWith(decoder: StreamDecoder, ids: readonly number[]): string {
  const deltas: string[] = []
  for (const id of ids) {
    if (!Number.isSafeInteger(id) || id < 0) throw engineError('tokenizer/bad-id', { id })
    deltas.push(decoder.push(id))
  }
  deltas.push(decoder.flush())
  return deltas.join('')
}

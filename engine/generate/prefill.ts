// Prefill in chunks of about a quarter second, so that progress is seen and a stop is prompt even where a running pass cannot be cancelled.
import type { DecoderModel } from '../runtime/model-types'
import type { Sequence } from './sequence'
import type { GenerateEvent } from './types'

/** Milliseconds from any fixed moment; `performance` is one. */
export interface Clock {
  readonly now: () => number
}

/** How long one chunk should take. */
const CHUNK_TARGET_MS = 250
/** The first chunk, whose speed the next ones are sized by. */
const FIRST_CHUNK_TOKENS = 64
/** Throughput is flat from 64 tokens up and workspace memory grows with the chunk; below 8 the overhead of a pass dominates. */
const CHUNK_TOKENS = { min: 8, max: 128 } as const

/**
 * Appends what `sequence` lacks of `promptIds` and returns the logits [vocabSize] F32 of the last id. Yields progress before the first chunk and after each
 * (tokens already in the cache count as done). Throws the signal's reason or "runtime/aborted" on abort; the chunks before stay in the sequence.
 */
export async function* prefill(options: {
  readonly decoder: DecoderModel
  readonly sequence: Sequence
  readonly promptIds: readonly number[]
  readonly clock: Clock
  readonly signal?: AbortSignal
}): AsyncGenerator<GenerateEvent, Float32Array, undefined> {
  const { decoder, sequence, promptIds, clock, signal } = options
  const totalTokens = promptIds.length
  let chunkTokens = decoder.wholePrompt === true ? totalTokens : FIRST_CHUNK_TOKENS
  yield { type: 'prefill', doneTokens: sequence.ids.length, totalTokens }
  for (;;) {
    signal?.throwIfAborted()
    const start = sequence.ids.length
    const ids = promptIds.slice(start, start + chunkTokens)
    const last = start + ids.length === totalTokens
    const startMs = clock.now()
    const logits = await sequence.append(decoder, {
      ids,
      logits: last ? 'last' : 'none',
      sequenceTokens: totalTokens,
      ...(signal && { signal }),
    })
    const elapsedMs = Math.max(clock.now() - startMs, 1)
    yield { type: 'prefill', doneTokens: start + ids.length, totalTokens }
    if (last) return logits
    const fitting = Math.round((ids.length * CHUNK_TARGET_MS) / elapsedMs)
    chunkTokens = Math.min(Math.max(fitting, CHUNK_TOKENS.min), CHUNK_TOKENS.max)
  }
}

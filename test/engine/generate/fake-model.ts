// A decoder without weights: its next token is a function of the ids so far, and it checks that its cache is used as a cache must be.
import type { DecoderConfig } from '../../../engine/config/decoder-config'
import { readDecoderConfig } from '../../../engine/config/read-config'
import { engineError } from '../../../engine/errors'
import type { GenerationModel } from '../../../engine/generate/generate-options'
import type { DecoderModel, KvCache } from '../../../engine/runtime/model-types'

/** Letters a..z are ids 0..25; 26 is a space, 27 ends the turn. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz '
const STOP_ID = 27
const FAKE_VOCAB_SIZE = 28

export const idsOf = (text: string): number[] => Array.from(text, (letter) => LETTERS.indexOf(letter))

const config: DecoderConfig = readDecoderConfig({
  model_type: 'llama',
  vocab_size: FAKE_VOCAB_SIZE,
  hidden_size: 8,
  intermediate_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  max_position_embeddings: 64,
  bos_token_id: null,
  eos_token_id: STOP_ID,
})

/** What happened to a fake decoder. */
export interface FakeLog {
  readonly chunks: number[]
  readonly truncations: number[]
  openCaches: number
}

/** A model that answers every prompt with `reply` and then ends the turn; `onForward` runs inside each pass. */
export function createFakeModel(options: {
  readonly reply: (promptText: string) => string
  readonly contextLength?: number
  readonly stopStrings?: readonly string[]
  readonly onForward?: (signal: AbortSignal | undefined) => void
}): { readonly model: GenerationModel; readonly log: FakeLog } {
  const log: FakeLog = { chunks: [], truncations: [], openCaches: 0 }
  const contents = new WeakMap<KvCache, number[]>()
  const decoder: DecoderModel = {
    config,
    runtimeKind: 'c-api',
    weightBytes: 0,
    createCache: ({ capacityTokens }) => {
      const ids: number[] = []
      log.openCaches++
      const cache: KvCache = {
        capacityTokens,
        get lengthTokens() {
          return ids.length
        },
        sizeBytes: capacityTokens,
        truncate: (lengthTokens) => {
          if (lengthTokens > ids.length) throw new Error('truncate beyond the length')
          log.truncations.push(lengthTokens)
          ids.length = lengthTokens
        },
        [Symbol.dispose]: () => {
          log.openCaches--
        },
      }
      contents.set(cache, ids)
      return cache
    },
    forward: async ({ ids, cache, logits, signal }) => {
      const seen = contents.get(cache)
      if (seen === undefined) throw new Error('unknown cache')
      await new Promise((resolve) => setImmediate(resolve))
      options.onForward?.(signal)
      if (signal?.aborted === true) throw engineError('runtime/aborted', { what: 'The forward pass' })
      if (seen.length + ids.length > cache.capacityTokens) throw new Error('cache overflow')
      seen.push(...ids)
      log.chunks.push(ids.length)
      if (logits === 'none') return new Float32Array(0)
      const scores = new Float32Array(FAKE_VOCAB_SIZE)
      scores[nextId(seen, options.reply)] = 20
      return scores
    },
    [Symbol.dispose]: () => undefined,
  }
  const model: GenerationModel = {
    decoder,
    createStreamDecoder: () => ({ push: (id) => LETTERS[id] ?? '', flush: () => '' }),
    stopIds: new Set([STOP_ID]),
    stopStrings: options.stopStrings ?? [],
    contextLength: options.contextLength ?? 64,
  }
  return { model, log }
}

/** The prompt is everything up to the first space; the reply follows it. */
function nextId(seen: readonly number[], reply: (promptText: string) => string): number {
  const text = seen.map((id) => LETTERS[id] ?? '').join('')
  const border = text.lastIndexOf(' ')
  const answer = reply(text.slice(0, border))
  const given = text.slice(border + 1)
  const letter = answer[given.length]
  return letter === undefined ? STOP_ID : LETTERS.indexOf(letter)
}

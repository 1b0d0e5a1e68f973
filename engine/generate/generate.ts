// generate(): a prompt's ids in, a stream of events out: chunked prefill over a reusable sequence, then one token at a time until something ends the reply.
import { EngineError, engineError } from '../errors'
import type { GenerateOptions } from './generate-options'
import { prefill } from './prefill'
import { createReplySampler } from './reply-sampler'
import { createReplyText } from './reply-text'
import { createSequence } from './sequence'
import type { FinishReason, GenerateEvent, GenerationStats } from './types'

/** Ids of the prompt that a continuation's text is decoded behind; enough for any tokenizer's word-start rule. */
const CONTINUED_IDS = 8

/** What the end of a turn adds to the text. */
const NOTHING = { decoded: '', shown: '' } as const

/** A seed for a reply that was not given one. */
function freshSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
}

/**
 * Generates one reply. Yields prefill progress, text deltas (never empty, never part of a character or of a stop string), then exactly one 'finished', whose text is the
 * beginning and the deltas joined and whose ids leave out the beginning and the id that ended the turn. An abort of `signal` is the finish reason 'cancelled' and keeps the text.
 * Throws "generate/empty-prompt", "generate/bad-setting", "runtime/token-out-of-range", "generate/busy", "runtime/context-overflow" before any event, and what the decoder throws.
 */
export async function* generate(options: GenerateOptions): AsyncGenerator<GenerateEvent, void, undefined> {
  const { model, promptIds, settings, signal } = options
  const clock = options.clock ?? performance
  const startMs = clock.now()
  checkPrompt(options)
  const seed = settings.seed ?? (options.randomSeed ?? freshSeed)()
  const sampler = createReplySampler({ ...options, seed })
  const { prefillIds = [] } = options
  const sequence = options.sequence ?? createSequence(model.decoder, { capacityTokens: neededCapacity(options) })
  const release = sequence.acquire()
  const text = createReplyText({ decoder: model.createStreamDecoder(), prefillIds, ...textOptions(options) })
  const ids: number[] = []
  const contextIds = [...promptIds, ...prefillIds]
  const maxNewTokens = settings.maxNewTokens ?? Number.POSITIVE_INFINITY
  const contextLength = Math.min(model.contextLength, sequence.capacityTokens)
  let firstTokenMs: number | null = null
  let prefillMs = 0
  let finishReason: FinishReason | null = null

  try {
    const startIds = [...contextIds]
    const cachedTokens = sequence.reuse(startIds)
    let logits: Float32Array
    try {
      logits = yield* prefill({ decoder: model.decoder, sequence, promptIds: startIds, clock, ...(signal && { signal }) })
      prefillMs = clock.now() - startMs
      for (;;) {
        signal?.throwIfAborted()
        const { id, logprobs } = sampler.pick(logits, contextIds)
        firstTokenMs ??= clock.now()
        const ends = model.stopIds.has(id)
        const { decoded, shown } = ends ? NOTHING : text.push(id)
        if (logprobs !== null) yield { type: 'token', id, text: decoded, logprob: logprobs.of(id), alternatives: logprobs.likeliest }
        if (ends) {
          finishReason = 'stop'
          break
        }
        ids.push(id)
        contextIds.push(id)
        if (shown.length > 0) yield { type: 'delta', text: shown, id }
        if (text.stopString() !== null) finishReason = 'stop-string'
        else if (sampler.isComplete()) finishReason = 'stop'
        else if (ids.length >= maxNewTokens) finishReason = 'length'
        else if (contextIds.length >= contextLength) finishReason = 'context'
        if (finishReason !== null) break
        logits = await sequence.append(model.decoder, { ids: [id], logits: 'last', ...(signal && { signal }) })
      }
    } catch (cause) {
      if (!isAbort(cause, signal)) throw cause
      finishReason = 'cancelled'
    }
    const rest = text.end()
    if (rest.length > 0) yield { type: 'delta', text: rest, id: ids.at(-1) ?? 0 }
    // A stop string can become complete only now, when its last character had been held back by the decoder.
    if (text.stopString() !== null) finishReason = 'stop-string'
    const endMs = clock.now()
    const stats = {
      promptTokens: startIds.length,
      cachedTokens,
      completionTokens: ids.length,
      ttftMs: (firstTokenMs ?? endMs) - startMs,
      prefillTokensPerSecond: perSecond(promptIds.length - cachedTokens, prefillMs),
      tokensPerSecond: firstTokenMs === null ? 0 : perSecond(ids.length - 1, endMs - firstTokenMs),
      totalMs: endMs - startMs,
      seed,
    } satisfies GenerationStats
    yield { type: 'finished', finishReason, stopString: text.stopString(), text: text.whole(), ids, stats }
  } finally {
    release()
    if (options.sequence === undefined) sequence[Symbol.dispose]()
  }
}

/** How the text of a reply is made. */
function textOptions({ model, promptIds, settings, continuesPrompt }: GenerateOptions): {
  readonly stopStrings: readonly string[]
  readonly contextIds: readonly number[]
} {
  if (continuesPrompt === true) return { stopStrings: settings.stop, contextIds: promptIds.slice(-CONTINUED_IDS) }
  // A grammar holds for the tokens as they stand in the middle of a text: the first one must not lose its space.
  const held = settings.constraint !== undefined && settings.constraint !== null
  return { stopStrings: [...settings.stop, ...model.stopStrings], contextIds: held ? (model.vocabulary?.contextIds ?? []) : [] }
}

/** Refuses what cannot be generated from, before anything runs. */
function checkPrompt({ model, promptIds, prefillIds = [], sequence, settings }: GenerateOptions): void {
  if (promptIds.length === 0) throw engineError('generate/empty-prompt', { promptTokens: 0 })
  const { vocabSize } = model.decoder.config
  for (const id of [...promptIds, ...prefillIds]) {
    if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) throw engineError('runtime/token-out-of-range', { id, vocabSize })
  }
  const { maxNewTokens } = settings
  if (maxNewTokens !== null && !(Number.isInteger(maxNewTokens) && maxNewTokens > 0)) {
    throw engineError('generate/bad-setting', { setting: 'maxNewTokens', value: String(maxNewTokens), allowed: 'a whole number above 0' })
  }
  const contextLength = Math.min(model.contextLength, sequence?.capacityTokens ?? model.contextLength)
  // One place must be left for the reply.
  const neededTokens = promptIds.length + prefillIds.length + 1
  if (neededTokens > contextLength) throw engineError('runtime/context-overflow', { neededTokens, contextLength })
}

/** Tokens of cache that this reply can come to use. */
function neededCapacity({ model, promptIds, prefillIds = [], settings }: GenerateOptions): number {
  return Math.min(model.contextLength, promptIds.length + prefillIds.length + (settings.maxNewTokens ?? model.contextLength))
}

/** True for the failures that an abort of `signal` causes. */
function isAbort(cause: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted !== true) return false
  return cause === signal.reason || (cause instanceof EngineError && cause.code === 'runtime/aborted')
}

function perSecond(tokens: number, elapsedMs: number): number {
  return tokens > 0 && elapsedMs > 0 ? (tokens * 1000) / elapsedMs : 0
}

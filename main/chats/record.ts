// The record of a reply as it is stored: compact JSON arrays, deflated (RFC 1951). A thousand tokens with their alternatives take some 30 kB.
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import * as v from 'valibot'
import type { PromptView, ReplyToken } from '../../preload/contract'
import type { ReplyPrefix, ReplyRecord } from '../engine/protocol'

/** Longer prompts are not kept with each reply: they would fill the disk faster than the conversation does. */
const MAX_KEPT_PROMPT_TOKENS = 65_536
/** No record comes near this; a damaged one must not fill the memory. */
const MAX_INFLATED_BYTES = 256 * 1024 * 1024

/** What is read back; the prompt is null where it was too long to be kept. */
export interface StoredRecord {
  readonly prompt: Omit<PromptView, 'asSent'> | null
  readonly tokens: readonly ReplyToken[]
}

const choiceSchema = v.tuple([v.number(), v.string(), v.number(), v.number()])
const storedSchema = v.object({
  prompt: v.nullable(v.object({ text: v.string(), tokens: v.array(v.tuple([v.number(), v.string(), v.number()])) })),
  tokens: v.array(v.tuple([...choiceSchema.items, v.array(choiceSchema)])),
})

/** Packs a record; `before` are the tokens that an earlier part of the same reply had. */
export function packRecord({ prompt, tokens }: ReplyRecord, before: readonly ReplyToken[]): Uint8Array {
  const stored: v.InferOutput<typeof storedSchema> = {
    prompt:
      prompt.tokens.length > MAX_KEPT_PROMPT_TOKENS
        ? null
        : { text: prompt.text, tokens: prompt.tokens.map(({ id, text, special }) => [id, text, special ? 1 : 0]) },
    tokens: [...before, ...tokens].map(({ id, text, logprob, special, alternatives }) => [
      id,
      text,
      logprob,
      special ? 1 : 0,
      alternatives.map((other) => [other.id, other.text, other.logprob, other.special ? 1 : 0]),
    ]),
  }
  return deflateRawSync(JSON.stringify(stored))
}

/** Unpacks a record; null where it is damaged, which costs a view and no message. */
export function unpackRecord(bytes: Uint8Array): StoredRecord | null {
  let text: string
  try {
    text = inflateRawSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }).toString('utf8')
  } catch {
    return null
  }
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), storedSchema), text)
  if (!read.success) return null
  const choice = ([id, text, logprob, special]: v.InferOutput<typeof choiceSchema>) => ({ id, text, logprob, special: special === 1 })
  const { prompt, tokens } = read.output
  return {
    prompt:
      prompt === null
        ? null
        : { text: prompt.text, tokens: prompt.tokens.map(([id, text, special]) => ({ id, text, special: special === 1 })) },
    tokens: tokens.map(([id, text, logprob, special, alternatives]) => ({
      ...choice([id, text, logprob, special]),
      alternatives: alternatives.map(choice),
    })),
  }
}

const written = (tokens: readonly ReplyToken[]): readonly ReplyToken[] => tokens.filter(({ special }) => !special)
const textOf = (tokens: readonly { readonly text: string }[]): string => tokens.map(({ text }) => text).join('')

/** The whole reply as a beginning to go on from; ids only where they spell it. */
export function wholePrefix(content: string, tokens: readonly ReplyToken[]): ReplyPrefix {
  const own = written(tokens)
  return { text: content, ids: textOf(own) === content ? own.map(({ id }) => id) : [] }
}

/** The reply up to a token, with one of its alternatives in its place; null where there is no such alternative, or it ends the reply. */
export function branchPrefix(
  tokens: readonly ReplyToken[],
  { token, alternative }: { readonly token: number; readonly alternative: number },
): { readonly prefix: ReplyPrefix; readonly kept: readonly ReplyToken[] } | null {
  const replaced = tokens[token]
  const chosen = replaced?.alternatives[alternative]
  if (replaced === undefined || chosen === undefined || chosen.special) return null
  const before = written(tokens.slice(0, token))
  const kept = [...before, { ...chosen, alternatives: replaced.alternatives }]
  return { prefix: { text: textOf(kept), ids: kept.map(({ id }) => id) }, kept }
}

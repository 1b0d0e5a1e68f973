// What is kept of a reply beside its text: the prompt's tokens, and each token with what else was likely.
import type { LoadedModel } from '../../../engine/generate/load-model'
import type { GenerateEvent, TokenLogprob } from '../../../engine/generate/types'
import type { PromptToken, PromptView, ReplyToken, TokenChoice } from '../../../preload/contract'
import type { ReplyPrefix } from '../protocol'

/** Alternatives that are kept of each token. */
export const KEPT_ALTERNATIVES = 5

const LOWEST_LOGPROB = -9999

type TokenSource = Pick<LoadedModel, 'vocabulary' | 'tokenizer'>

/** A prompt with its text and tokens. */
export function promptView(
  model: TokenSource,
  prompt: { readonly text: string; readonly ids: readonly number[] },
): Omit<PromptView, 'asSent'> {
  return { text: prompt.text, tokens: prompt.ids.map((id) => promptToken(model, id)) }
}

function promptToken({ vocabulary, tokenizer }: TokenSource, id: number): PromptToken {
  return { id, text: vocabulary.textOf(id), special: tokenizer.isSpecial(id) }
}

/** A token of a reply as it is kept. */
export function replyToken(model: TokenSource & Pick<LoadedModel, 'stopIds'>, event: GenerateEvent & { type: 'token' }): ReplyToken {
  const choice = ({ id, logprob }: TokenLogprob): TokenChoice => ({
    ...promptToken(model, id),
    special: model.tokenizer.isSpecial(id) || model.stopIds.has(id),
    // Four decimals are a hundredth of a per cent of the probability; what is impossible has no JSON number.
    logprob: Math.max(Math.round(logprob * 1e4) / 1e4, LOWEST_LOGPROB),
  })
  const chosen = choice(event)
  return { ...chosen, text: chosen.special ? chosen.text : event.text, alternatives: event.alternatives.map(choice) }
}

/** Ids of a reply's given beginning: its own where this model spells its text with them, otherwise those of the text. */
export function prefixIds({ tokenizer }: TokenSource, { text, ids }: ReplyPrefix): readonly number[] {
  const known = ids.every((id) => tokenizer.piece(id) !== null)
  if (known && ids.length > 0 && tokenizer.decode(ids, { skipSpecial: true }).startsWith(text)) return ids
  return tokenizer.encode(text, { addSpecial: false, parseSpecial: false })
}

// A reply's text: ids through the stream decoder, then through the stop strings.
import type { StreamDecoder } from '../tokenizer/types'
import { createStopWatcher } from './stop-strings'

/** The text of a reply as it grows. */
export interface ReplyText {
  /** `decoded` is what the id added to the text, `shown` what may be shown of it: no part of a stop string. */
  readonly push: (id: number) => { readonly decoded: string; readonly shown: string }
  /** Shows what was held back. */
  readonly end: () => string
  readonly stopString: () => string | null
  readonly whole: () => string
}

/** `contextIds` are decoded before the reply and not shown; `prefillIds` are its beginning, shown but not watched for stop strings. */
export function createReplyText(options: {
  readonly decoder: StreamDecoder
  readonly stopStrings: readonly string[]
  readonly contextIds: readonly number[]
  readonly prefillIds: readonly number[]
}): ReplyText {
  const { decoder, contextIds, prefillIds } = options
  const stops = createStopWatcher(options.stopStrings)
  let whole = ''
  let stopString: string | null = null
  for (const id of contextIds) decoder.push(id)
  for (const id of prefillIds) whole += decoder.push(id)
  const show = (decoded: string): string => {
    const result = stops.push(decoded)
    stopString ??= result.stopString
    whole += result.text
    return result.text
  }
  return {
    push: (id) => {
      const decoded = decoder.push(id)
      return { decoded, shown: show(decoded) }
    },
    end: () => {
      if (stopString !== null) return ''
      const last = show(decoder.flush())
      const held = stops.flush()
      whole += held
      return last + held
    },
    stopString: () => stopString,
    whole: () => whole,
  }
}

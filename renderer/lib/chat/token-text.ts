// Tokens as they are drawn: what cannot be seen gets a sign, probabilities get as many digits as they need.

/** Line breaks keep their break, so that a list of tokens reads like the text. */
export function drawnText(text: string): string {
  if (text === '') return '·'
  return text.replaceAll('\r', '␍').replaceAll('\n', '↵\n').replaceAll('\t', '⇥')
}

/** On one line, with spaces that can be counted. */
export function namedText(text: string): string {
  if (text === '') return '·'
  return text.replaceAll('\r', '␍').replaceAll('\n', '↵').replaceAll('\t', '⇥').replace(/^ | $/g, '␣')
}

/** The share of a log-probability, 0 to 1. */
export function probabilityOf(logprob: number): number {
  return Math.min(1, Math.exp(logprob))
}

/** In per cent: 99.97 %, 12 %, 0.004 %. */
export function drawnShare(logprob: number): string {
  const percent = probabilityOf(logprob) * 100
  if (percent === 0) return '0'
  if (percent >= 99.995 || percent < 0.0001) return percent >= 50 ? '100' : '<0.0001'
  return String(Number(percent.toPrecision(percent >= 99 ? 4 : 2)))
}

/** Where an arrow key, Home or End leads among `count` things; null for other keys. */
export function moveTo(key: string, { at, count }: { readonly at: number; readonly count: number }): number | null {
  const target = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: count - 1 }[key]
  return target === undefined || count === 0 ? null : Math.min(count - 1, Math.max(0, target))
}

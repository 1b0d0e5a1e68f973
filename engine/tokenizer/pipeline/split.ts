// What becomes of a pattern's matches when a text is split. Follows SplitDelimiterBehavior of Hugging Face tokenizers 0.23 (tokenizer/normalizer.rs).
import type { JsonValue } from '../../bytes/json'
import { engineError } from '../../errors'
import type { FindStretches, Stretch } from './pattern'

/** A piece of a text on its way to the model. `atStart`: it begins where the whole text begins. */
export interface Piece {
  readonly text: string
  readonly atStart: boolean
}

const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const

/** What becomes of a match: dropped, a piece of its own, joined to a neighbour, or joined to matches beside it. */
export type SplitBehavior = (typeof BEHAVIORS)[number]

/** Reads the name of a behaviour. Throws "tokenizer/corrupt-json". */
export function readBehavior(value: JsonValue | undefined, path: string): SplitBehavior {
  const behavior = BEHAVIORS.find((each) => each === value)
  if (behavior === undefined) throw engineError('tokenizer/corrupt-json', { path, reason: 'a split has an unknown behavior' })
  return behavior
}

interface Range {
  start: number
  end: number
}

/** Splits every piece; empty pieces go. */
export function splitPieces(
  pieces: readonly Piece[],
  options: { readonly find: FindStretches; readonly behavior: SplitBehavior; readonly invert?: boolean },
): Piece[] {
  const { find, behavior, invert = false } = options
  const result: Piece[] = []
  for (const piece of pieces) {
    const stretches = find(piece.text)
    for (const { start, end } of rangesOf(invert ? stretches.map(inverted) : stretches, behavior)) {
      if (end > start) result.push({ text: piece.text.slice(start, end), atStart: piece.atStart && start === 0 })
    }
  }
  return result
}

function inverted({ start, end, isMatch }: Stretch): Stretch {
  return { start, end, isMatch: !isMatch }
}

function rangesOf(stretches: readonly Stretch[], behavior: SplitBehavior): readonly Range[] {
  switch (behavior) {
    case 'Removed':
      return stretches.filter(({ isMatch }) => !isMatch)
    case 'Isolated':
      return stretches
    case 'Contiguous':
      return joined(stretches, { joins: (isMatch, before) => isMatch === before, forwards: true })
    case 'MergedWithPrevious':
      return joined(stretches, { joins: (isMatch, before) => isMatch && !before, forwards: true })
    case 'MergedWithNext':
      return joined(stretches, { joins: (isMatch, before) => isMatch && !before, forwards: false })
  }
}

/** Walks over the stretches; one that `joins` extends the range before it. */
function joined(
  stretches: readonly Stretch[],
  options: { readonly joins: (isMatch: boolean, before: boolean) => boolean; readonly forwards: boolean },
): readonly Range[] {
  const ranges: Range[] = []
  let before = false
  for (const { start, end, isMatch } of options.forwards ? stretches : stretches.toReversed()) {
    const last = ranges.at(-1)
    if (!last || !options.joins(isMatch, before)) ranges.push({ start, end })
    else if (options.forwards) last.end = end
    else last.start = start
    before = isMatch
  }
  return options.forwards ? ranges : ranges.toReversed()
}

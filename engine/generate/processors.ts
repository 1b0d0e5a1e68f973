// Logits processors: they look at the ids so far and always apply, greedy or not. Semantics: transformers 5.18 generation/logits_process.py.
// Scores are in id order with every token in play; a ban is minus infinity. What Transformers computes in F32 is rounded to F32 here too.
import type { SequenceBias } from './logits-settings'

const { fround } = Math
const BANNED = Number.NEGATIVE_INFINITY

/**
 * Repetition penalty: the score of every id in `ids` is divided by `penalty` when positive and multiplied when negative (once, however often it is there).
 * Ids outside the vocabulary are ignored. Source: CTRL (arXiv 1909.05858), RepetitionPenaltyLogitsProcessor.
 */
export function applyRepetitionPenalty(scores: Float32Array, ids: readonly number[], penalty: number): void {
  const scale = fround(penalty)
  for (const id of new Set(ids)) {
    const score = scores[id]
    if (score !== undefined) scores[id] = score < 0 ? score * scale : score / scale
  }
}

/**
 * Bans every token that would complete an n-gram of `earlier` after the last ids of `inputIds`; `earlier` is `inputIds` itself or the prompt.
 * Source: NoRepeatNGramLogitsProcessor, EncoderNoRepeatNGramLogitsProcessor.
 */
export function banRepeatedNgrams(
  scores: Float32Array,
  { inputIds, earlier, size }: { readonly inputIds: readonly number[]; readonly earlier: readonly number[]; readonly size: number },
): void {
  const prefixStart = inputIds.length - size + 1
  if (prefixStart < 0) return
  for (let start = 0; start + size <= earlier.length; start++) {
    let offset = 0
    while (offset < size - 1 && earlier[start + offset] === inputIds[prefixStart + offset]) offset++
    if (offset === size - 1) ban(scores, earlier[start + offset] ?? -1)
  }
}

/** Adds each bias to the last id of its sequence where the other ids stand at the end of `inputIds`. Of equal sequences the last counts. Source: SequenceBiasLogitsProcessor. */
export function addSequenceBias(scores: Float32Array, inputIds: readonly number[], biases: readonly SequenceBias[]): void {
  const distinct = new Map(biases.map(([ids, bias]) => [ids.join(','), { ids, bias }]))
  const total = new Map<number, number>()
  // The reference sums single tokens before sequences, in F32.
  for (const single of [true, false])
    for (const { ids, bias } of distinct.values()) {
      if ((ids.length === 1) !== single || !endsWith(inputIds, ids.slice(0, -1))) continue
      const last = ids.at(-1) ?? -1
      total.set(last, fround((total.get(last) ?? 0) + fround(bias)))
    }
  for (const [id, bias] of total) if (id < scores.length) scores[id] = (scores[id] ?? 0) + bias
}

function endsWith(inputIds: readonly number[], ids: readonly number[]): boolean {
  const start = inputIds.length - ids.length
  return start >= 0 && ids.every((id, offset) => inputIds[start + offset] === id)
}

/** Bans the last id of each sequence where the others stand before it; a sequence that is just an end-of-turn id is left out. Source: NoBadWordsLogitsProcessor. */
export function banWords(
  scores: Float32Array,
  options: {
    readonly inputIds: readonly number[]
    readonly words: readonly (readonly number[])[]
    readonly eosTokenIds: readonly number[]
  },
): void {
  const { inputIds, words, eosTokenIds } = options
  for (const ids of words) {
    if (ids.length === 1 && eosTokenIds.includes(ids[0] ?? -1)) continue
    if (endsWith(inputIds, ids.slice(0, -1))) ban(scores, ids.at(-1) ?? -1)
  }
}

/** Bans every id of the list. Source: SuppressTokensLogitsProcessor and the minimum lengths. */
export function banIds(scores: Float32Array, ids: readonly number[]): void {
  for (const id of ids) ban(scores, id)
}

/** Leaves only these ids, with equal scores. Source: ForcedBOSTokenLogitsProcessor, ForcedEOSTokenLogitsProcessor. */
export function forceIds(scores: Float32Array, ids: readonly number[]): void {
  scores.fill(BANNED)
  for (const id of ids) if (id < scores.length) scores[id] = 0
}

/** Largest finite F32. */
const LARGEST = 3.4028234663852886e38

/** Replaces NaN by 0 and infinities, bans too, by the largest numbers of their sign. Source: InfNanRemoveLogitsProcessor. */
export function replaceInvalid(scores: Float32Array): void {
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id] ?? 0
    scores[id] = Number.isNaN(score) ? 0 : Math.min(Math.max(score, -LARGEST), LARGEST)
  }
}

/** Raises the scores of the end-of-turn ids by |score| * (factor ^ `tokensBeyond` - 1). Source: ExponentialDecayLengthPenalty. */
export function raiseEnd(
  scores: Float32Array,
  {
    eosTokenIds,
    factor,
    tokensBeyond,
  }: { readonly eosTokenIds: readonly number[]; readonly factor: number; readonly tokensBeyond: number },
): void {
  const scale = fround(factor ** tokensBeyond - 1)
  for (const id of eosTokenIds) {
    const score = scores[id]
    // A banned end stays banned: the formula would make it NaN.
    if (score !== undefined && score !== BANNED) scores[id] = score + fround(Math.abs(score) * scale)
  }
}

function ban(scores: Float32Array, id: number): void {
  if (id >= 0 && id < scores.length) scores[id] = BANNED
}

// Logits processors: they look at the ids so far and always apply, greedy or not. Semantics: transformers 5.18 generation/logits_process.py.
import { retain, type Candidates } from './candidates'

/**
 * Repetition penalty: the score of every id seen so far is divided by `penalty` when positive and multiplied when negative (once, however often it was seen).
 * Ids outside the vocabulary are ignored. Expects all tokens in play. Source: CTRL (arXiv 1909.05858), RepetitionPenaltyLogitsProcessor.
 */
export function applyRepetitionPenalty(candidates: Candidates, inputIds: readonly number[], penalty: number): void {
  const { scores } = candidates
  for (const id of new Set(inputIds)) {
    const score = scores[id]
    if (score === undefined) continue
    scores[id] = score < 0 ? score * penalty : score / penalty
  }
}

/**
 * Bans every token that would complete an n-gram which `inputIds` already contain. Does nothing before there are `size` ids.
 * Source: NoRepeatNGramLogitsProcessor.
 */
export function banRepeatedNgrams(candidates: Candidates, inputIds: readonly number[], size: number): void {
  if (inputIds.length < size) return
  const prefixStart = inputIds.length - size + 1
  const banned = new Set<number>()
  for (let start = 0; start + size <= inputIds.length; start++) {
    let offset = 0
    while (offset < size - 1 && inputIds[start + offset] === inputIds[prefixStart + offset]) offset++
    if (offset === size - 1) banned.add(inputIds[start + offset] ?? -1)
  }
  retain(candidates, (index) => !banned.has(candidates.ids[index] ?? -1))
}

// Penalties that Transformers does not have: OpenAI's presence and frequency penalties and DRY. They lower scores and ban nothing.

/**
 * Lowers the score of every id of `generatedIds` by `presence`, and by `frequency` for each time it is there.
 * Source: the OpenAI API reference ("frequency and presence penalties"); the prompt does not count.
 */
export function applyPresenceAndFrequency(
  scores: Float32Array,
  generatedIds: readonly number[],
  { presence, frequency }: { readonly presence: number; readonly frequency: number },
): void {
  const counts = new Map<number, number>()
  for (const id of generatedIds) counts.set(id, (counts.get(id) ?? 0) + 1)
  for (const [id, times] of counts) {
    const score = scores[id]
    if (score !== undefined) scores[id] = score - times * frequency - presence
  }
}

/** A repetition this long is as bad as a longer one; it also bounds the power below. */
const MAX_DRY_MATCH = 500
/** The penalty ends here, far above any difference of logits, so that a score stays a finite number. */
const MAX_DRY_PENALTY = 1e4

/** How DRY penalises; `breakers` are ids that no repetition reaches across. */
export interface DryOptions {
  readonly multiplier: number
  readonly base: number
  readonly allowedLength: number
  readonly breakers: ReadonlySet<number>
}

/**
 * DRY: a token that would continue a repetition of n ids, n at least `allowedLength`, loses multiplier * base ^ (n - allowedLength).
 * Linear in the number of ids. Source: p-e-w, "DRY: A modern repetition penalty" (oobabooga/text-generation-webui pull request 5677).
 */
export function applyDry(scores: Float32Array, inputIds: readonly number[], options: DryOptions): void {
  const { multiplier, base, allowedLength, breakers } = options
  const matches = repetitionLengths(inputIds, breakers)
  const longest = new Map<number, number>()
  for (let end = 0; end < matches.length; end++) {
    const next = inputIds[end + 1] ?? -1
    const length = matches[end] ?? 0
    if (length >= Math.max(allowedLength, 1) && length > (longest.get(next) ?? 0) && !breakers.has(next)) longest.set(next, length)
  }
  for (const [id, length] of longest) {
    const score = scores[id]
    if (score !== undefined) scores[id] = score - Math.min(MAX_DRY_PENALTY, multiplier * base ** (length - allowedLength))
  }
}

/** For every place but the last: how many ids up to it equal those at the end, counted backwards up to a breaker (the Z function of the reversed ids). */
function repetitionLengths(inputIds: readonly number[], breakers: ReadonlySet<number>): Uint32Array {
  const size = inputIds.length
  let limit = 0
  while (limit < size && limit < MAX_DRY_MATCH && !breakers.has(inputIds[size - 1 - limit] ?? -1)) limit++
  const lengths = new Uint32Array(Math.max(size - 1, 0))
  const at = (index: number): number => inputIds[size - 1 - index] ?? -1
  // [left, right) is the window furthest to the right that is known to equal a beginning.
  let [left, right] = [0, 0]
  const z = new Uint32Array(size)
  for (let index = 1; index < size; index++) {
    let length = index < right ? Math.min(right - index, z[index - left] ?? 0) : 0
    while (length < limit && index + length < size && at(length) === at(index + length)) length++
    z[index] = length
    if (index + length > right) [left, right] = [index, index + length]
    lengths[size - 1 - index] = Math.min(length, limit)
  }
  return lengths
}

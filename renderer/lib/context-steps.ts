// Steps of the context slider: finer for short contexts, where each step matters more, and never past the model's own length.

const SHORTEST_TOKENS = 256
/** Steps per doubling. */
const PER_DOUBLING = 4

/** Context lengths that the slider offers, ascending; the last is the model's own. */
export function contextSteps(longestTokens: number): readonly number[] {
  const steps: number[] = []
  for (let exponent = 0; ; exponent += 1) {
    const tokens = Math.round((SHORTEST_TOKENS * 2 ** (exponent / PER_DOUBLING)) / 64) * 64
    if (tokens >= longestTokens) break
    steps.push(tokens)
  }
  return [...steps, longestTokens]
}

/** Index of the step nearest to a length. */
export function nearestStep(steps: readonly number[], tokens: number): number {
  let nearest = 0
  for (const [index, step] of steps.entries()) {
    if (Math.abs(step - tokens) < Math.abs((steps[nearest] ?? 0) - tokens)) nearest = index
  }
  return nearest
}

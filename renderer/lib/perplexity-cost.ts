// What a format costs in quality: its perplexity over that of the most exact format that was measured.
import type { FormatPreview } from '../../preload/contract'

const BY_EXACTNESS = ['f32', 'f32-low-memory', 'quality', 'balanced', 'fast'] as const

/** The share by which the perplexity is higher than the reference's; null where there is nothing to compare with. */
export function perplexityCost(format: FormatPreview, formats: readonly FormatPreview[]): number | null {
  const reference = BY_EXACTNESS.map((name) => formats.find((each) => each.format === name)).find((each) => each?.perplexity)
  if (format.perplexity === null || !reference?.perplexity || reference === format) return null
  return format.perplexity.perplexity / reference.perplexity.perplexity - 1
}

/** The most exact format that needs less memory than another and fits: what to take where that one is too large. */
export function smallerFormat(than: FormatPreview, formats: readonly FormatPreview[]): FormatPreview | null {
  const fitting = BY_EXACTNESS.map((name) => formats.find((each) => each.format === name))
  return fitting.find((each) => each !== undefined && each.fit !== 'too-large' && each.peakBytes < than.peakBytes) ?? null
}

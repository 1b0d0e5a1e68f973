// Sizes, counts, durations and speeds as people read them. Units stay international; only the digits follow the language.
import { spoken } from '../i18n/spoken.svelte'

const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** Bytes in decimal units, three digits at most: 24.1 MB, 812 KB. */
export function formatBytes(sizeBytes: number, language: string = spoken.language): string {
  let value = sizeBytes
  let unit = 0
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${threeDigits(value, language)} ${BYTE_UNITS[unit] ?? 'B'}`
}

/** A parameter count as model cards write it: 1.1B, 270M, 135K. */
export function formatParameters(count: number): string {
  if (count >= 999_500_000) return `${threeDigits(count / 1e9)}B`
  if (count >= 999_500) return `${threeDigits(count / 1e6)}M`
  if (count >= 1_000) return `${threeDigits(count / 1e3)}K`
  return threeDigits(count)
}

/** A count in full, with the language's digit groups. */
export function formatCount(count: number): string {
  return new Intl.NumberFormat(spoken.language).format(count)
}

/** Tokens of a context window in short: 2K for 2048, 128K for 131072, otherwise in full. */
export function formatContext(tokens: number): string {
  return tokens >= 1024 && tokens % 1024 === 0 ? `${formatCount(tokens / 1024)}K` : formatCount(tokens)
}

/** A duration: milliseconds below a second, otherwise seconds. */
export function formatDuration(elapsedMs: number): string {
  if (elapsedMs < 999.5) return `${threeDigits(Math.round(elapsedMs))} ms`
  return `${threeDigits(elapsedMs / 1000)} s`
}

/** Tokens per second with one decimal below 100. */
export function formatSpeed(tokensPerSecond: number): string {
  return threeDigits(tokensPerSecond)
}

/** A fraction 0..1 in percent without decimals. */
export function formatPercent(fraction: number): string {
  return new Intl.NumberFormat(spoken.language, { style: 'percent', maximumFractionDigits: 0 }).format(fraction)
}

/** Time left, as coarse as it is sure: 8 s, 3 min, 2 h 10 min. */
export function formatTimeLeft(leftMs: number): string {
  const seconds = Math.max(1, Math.round(leftMs / 1000))
  if (seconds < 60) return `${formatCount(seconds)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${formatCount(minutes)} min`
  return `${formatCount(Math.floor(minutes / 60))} h ${formatCount(minutes % 60)} min`
}

/** A measured value with enough digits to tell it from its neighbours. */
export function formatValue(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toExponential(3)
  return new Intl.NumberFormat(spoken.language, { maximumSignificantDigits: 5 }).format(value)
}

function threeDigits(value: number, language: string = spoken.language): string {
  const maximumFractionDigits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return new Intl.NumberFormat(language, { maximumFractionDigits }).format(value)
}

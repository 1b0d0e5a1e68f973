// The sampling settings as the panel offers them: the slider's range is the useful part of what the contract allows.
import type { Sampling } from '../../../preload/contract'

/** A setting with a slider. `off` is the value that switches the filter off. */
export interface SliderSetting {
  readonly key: 'temperature' | 'topK' | 'topP' | 'minP' | 'repetitionPenalty'
  readonly sliderMin: number
  readonly sliderMax: number
  readonly step: number
  /** What may be typed, as the contract allows. */
  readonly min: number
  readonly max: number
  readonly off: number | null
}

/** Settings with a slider, in the panel's order. */
export const SLIDER_SETTINGS: readonly SliderSetting[] = [
  { key: 'temperature', sliderMin: 0, sliderMax: 2, step: 0.05, min: 0, max: 5, off: null },
  { key: 'topK', sliderMin: 0, sliderMax: 200, step: 1, min: 0, max: 1000, off: 0 },
  { key: 'topP', sliderMin: 0, sliderMax: 1, step: 0.01, min: 0, max: 1, off: 1 },
  { key: 'minP', sliderMin: 0, sliderMax: 1, step: 0.01, min: 0, max: 1, off: 0 },
  { key: 'repetitionPenalty', sliderMin: 0.8, sliderMax: 2, step: 0.01, min: 0.1, max: 5, off: 1 },
]

/** What "reset" returns to where neither the settings nor a loaded model say otherwise. */
export const FALLBACK_SAMPLING: Sampling = {
  temperature: 0.7,
  topK: 40,
  topP: 0.95,
  minP: 0,
  repetitionPenalty: 1,
  seed: null,
  maxNewTokens: null,
  stop: [],
}

/** Reads a typed number into the allowed range, to the step's precision; null where it is no number. */
export function readNumber(typed: string, range: { readonly min: number; readonly max: number; readonly integer: boolean }): number | null {
  const value = Number(typed.trim().replace(',', '.'))
  if (typed.trim() === '' || !Number.isFinite(value)) return null
  const clamped = Math.min(range.max, Math.max(range.min, value))
  return range.integer ? Math.round(clamped) : clamped
}

/** True where two settings are the same in every field. */
export function sameSampling(a: Sampling, b: Sampling): boolean {
  const { stop: stopA, ...restA } = a
  const { stop: stopB, ...restB } = b
  return (
    JSON.stringify(Object.entries(restA).sort()) === JSON.stringify(Object.entries(restB).sort()) &&
    JSON.stringify(stopA) === JSON.stringify(stopB)
  )
}

/** A stop string as it is typed: line breaks and tabs as \n and \t. */
export function writeStop(stop: string): string {
  return stop.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r')
}

/** The text that a typed stop string means. */
export function readStop(typed: string): string {
  const meanings: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\' }
  return typed.replace(/\\([ntr\\])/g, (_, letter: string) => meanings[letter] ?? letter)
}

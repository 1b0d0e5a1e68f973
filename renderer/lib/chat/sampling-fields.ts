// The sampling settings as the panel offers them: the slider's range is the useful part of what the contract allows.
import { SAMPLING_OFF } from '../../../preload/contract-sampling-off'
import type { Sampling } from '../../../preload/contract'

/** Settings that are one number and never empty. */
type NumberKey = {
  [K in keyof Sampling]: number extends Sampling[K] ? (null extends Sampling[K] ? never : K) : never
}[keyof Sampling]

/** A setting with a slider. `off` is the value that switches the filter off. */
export interface SliderSetting {
  readonly key: NumberKey
  readonly sliderMin: number
  readonly sliderMax: number
  readonly step: number
  /** What may be typed, as the contract allows. */
  readonly min: number
  readonly max: number
  readonly off: number | null
}

const setting = (key: NumberKey, slider: readonly [number, number, number], rest: Partial<SliderSetting> = {}): SliderSetting => ({
  key,
  sliderMin: slider[0],
  sliderMax: slider[1],
  step: slider[2],
  min: slider[0],
  max: slider[1],
  off: slider[0],
  ...rest,
})

/** Settings with a slider that everybody sees, in the panel's order. */
export const SLIDER_SETTINGS: readonly SliderSetting[] = [
  setting('temperature', [0, 2, 0.05], { max: 5, off: null }),
  setting('topK', [0, 200, 1], { max: 1000 }),
  setting('topP', [0, 1, 0.01], { off: 1 }),
  setting('minP', [0, 1, 0.01]),
  setting('repetitionPenalty', [0.8, 2, 0.01], { min: 0.1, max: 5, off: 1 }),
]

/** Further settings in groups. `shownBy`: the group's first setting switches the others on. */
export const MORE_SETTINGS: readonly {
  readonly group: 'repetition' | 'dry' | 'xtc' | 'filters' | 'dynamicTemperature' | 'length'
  readonly settings: readonly SliderSetting[]
  readonly firstSwitches: boolean
}[] = [
  {
    group: 'repetition',
    firstSwitches: false,
    settings: [
      setting('presencePenalty', [-2, 2, 0.05], { off: 0 }),
      setting('frequencyPenalty', [-2, 2, 0.05], { off: 0 }),
      setting('noRepeatNgramSize', [0, 10, 1], { max: 1000 }),
    ],
  },
  {
    group: 'dry',
    firstSwitches: true,
    settings: [
      setting('dryMultiplier', [0, 5, 0.05], { max: 10 }),
      setting('dryBase', [1, 4, 0.05], { max: 10, off: null }),
      setting('dryAllowedLength', [0, 20, 1], { max: 1000, off: null }),
    ],
  },
  {
    group: 'xtc',
    firstSwitches: true,
    settings: [setting('xtcProbability', [0, 1, 0.05]), setting('xtcThreshold', [0, 0.5, 0.01], { max: 1, off: null })],
  },
  {
    group: 'dynamicTemperature',
    firstSwitches: true,
    settings: [
      setting('dynamicTemperatureRange', [0, 2, 0.05], { max: 5 }),
      setting('dynamicTemperatureExponent', [0.1, 3, 0.1], { max: 10, off: null }),
    ],
  },
  {
    group: 'filters',
    firstSwitches: false,
    settings: [
      setting('typicalP', [0.01, 1, 0.01], { off: 1 }),
      setting('epsilonCutoff', [0, 0.1, 0.001], { max: 0.99 }),
      setting('etaCutoff', [0, 0.1, 0.001], { max: 0.99 }),
    ],
  },
  { group: 'length', firstSwitches: false, settings: [setting('minNewTokens', [0, 500, 1], { max: 1_000_000 })] },
]

/** Mirostat's settings, shown while it is on. */
export const MIROSTAT_SETTINGS: readonly SliderSetting[] = [
  setting('mirostatTau', [0, 10, 0.1], { max: 20, off: null }),
  setting('mirostatEta', [0, 1, 0.01], { off: null }),
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
  ...SAMPLING_OFF,
}

/** Sets of sampling settings with a name; the rest of the settings stays as it is. */
export const SAMPLING_PRESETS = {
  precise: { temperature: 0, topK: 0, topP: 1, minP: 0, xtcProbability: 0, mirostat: false, dynamicTemperatureRange: 0 },
  balanced: { temperature: 0.7, topK: 40, topP: 0.95, minP: 0, xtcProbability: 0, mirostat: false, dynamicTemperatureRange: 0 },
  creative: { temperature: 1.1, topK: 0, topP: 1, minP: 0.05, xtcProbability: 0.5, xtcThreshold: 0.1, dryMultiplier: 0.8, mirostat: false },
} satisfies Record<string, Partial<Sampling>>

/** The preset whose settings all hold, or null. */
export function presetOf(sampling: Sampling): keyof typeof SAMPLING_PRESETS | null {
  for (const name of ['precise', 'balanced', 'creative'] as const) {
    const preset: Partial<Sampling> = SAMPLING_PRESETS[name]
    if (Object.entries(preset).every(([key, value]) => Object.entries(sampling).some(([other, found]) => other === key && found === value)))
      return name
  }
  return null
}

/** Biases as they are typed, `id:bias` each, with spaces or commas between; null where it is something else. */
export function readLogitBias(typed: string): Sampling['logitBias'] | null {
  const biases: Sampling['logitBias'] = []
  for (const part of typed.split(/[\s,]+/).filter((each) => each !== '')) {
    const found = /^(\d{1,7})[:=]([-+]?\d+(?:\.\d+)?)$/.exec(part)
    const bias = Number(found?.[2])
    if (found === null || Math.abs(bias) > 100) return null
    biases.push([Number(found[1]), bias])
  }
  return biases
}

/** Biases as they are typed. */
export function writeLogitBias(biases: Sampling['logitBias']): string {
  return biases.map(([id, bias]) => `${id}:${bias}`).join(', ')
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
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())
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

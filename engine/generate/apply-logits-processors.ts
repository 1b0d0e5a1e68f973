// All processors and warpers in the order of Transformers' generate(), and the probabilities that result.
import { engineError } from '../errors'
import { argmax, createCandidates, fillCandidates, softmax, type Candidates } from './candidates'
import { applyRepetitionPenalty, banRepeatedNgrams } from './processors'
import { applyTemperature, keepAboveEpsilon, keepAboveEta, keepMinP, keepTopH, keepTopK, keepTopP, keepTypical } from './warpers'

/** Settings by Transformers' names in camelCase; what is left out is off. `temperature` 0 means greedy: the highest score gets probability 1. */
export interface LogitsSettings {
  readonly repetitionPenalty?: number
  readonly noRepeatNgramSize?: number
  readonly temperature?: number
  readonly topH?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly typicalP?: number
  readonly epsilonCutoff?: number
  readonly etaCutoff?: number
}

interface SettingRange {
  readonly accepts: (value: number) => boolean
  readonly allowed: string
}
const finite = Number.isFinite
const RANGES: Readonly<Record<keyof LogitsSettings, SettingRange>> = {
  repetitionPenalty: { accepts: (value) => finite(value) && value > 0, allowed: 'a number above 0' },
  noRepeatNgramSize: { accepts: (value) => Number.isInteger(value) && value >= 0, allowed: 'a whole number, 0 or more' },
  temperature: { accepts: (value) => finite(value) && value >= 0, allowed: 'a number, 0 or more' },
  topH: { accepts: (value) => value > 0 && value <= 1, allowed: 'a number above 0 and at most 1' },
  topK: { accepts: (value) => Number.isInteger(value) && value >= 0, allowed: 'a whole number, 0 or more' },
  topP: { accepts: (value) => value >= 0 && value <= 1, allowed: 'a number from 0 to 1' },
  minP: { accepts: (value) => value >= 0 && value <= 1, allowed: 'a number from 0 to 1' },
  typicalP: { accepts: (value) => value > 0 && value <= 1, allowed: 'a number above 0 and at most 1' },
  epsilonCutoff: { accepts: (value) => value >= 0 && value < 1, allowed: 'a number from 0 to below 1' },
  etaCutoff: { accepts: (value) => value >= 0 && value < 1, allowed: 'a number from 0 to below 1' },
}

/** Throws "generate/bad-setting" for a setting outside its range; unknown keys are not looked at. */
export function checkLogitsSettings(settings: LogitsSettings): void {
  for (const [name, range] of Object.entries(RANGES)) {
    const value: unknown = settings[name as keyof LogitsSettings]
    if (value === undefined) continue
    if (typeof value !== 'number' || !range.accepts(value)) {
      throw engineError('generate/bad-setting', {
        setting: name,
        value: typeof value === 'number' ? String(value) : typeof value,
        allowed: range.allowed,
      })
    }
  }
}

/** Applies the processors (which hold for greedy decoding too). `candidates` must hold the whole vocabulary. */
export function applyProcessors(candidates: Candidates, inputIds: readonly number[], settings: LogitsSettings): void {
  const { repetitionPenalty = 1, noRepeatNgramSize = 0 } = settings
  if (repetitionPenalty !== 1) applyRepetitionPenalty(candidates, inputIds, repetitionPenalty)
  if (noRepeatNgramSize > 0) banRepeatedNgrams(candidates, inputIds, noRepeatNgramSize)
}

/** Applies the warpers (sampling only; `temperature` must not be 0), in Transformers' order. At least one candidate stays. */
export function applyWarpers(candidates: Candidates, settings: LogitsSettings): void {
  const { temperature = 1, topH = 1, topK = 0, topP = 1, minP = 0, typicalP = 1, epsilonCutoff = 0, etaCutoff = 0 } = settings
  if (temperature !== 1) applyTemperature(candidates, temperature)
  // Unlike the others, top-H at 1 still cuts (it looks at 100 tokens only), so it counts as off only when it is left out.
  if (settings.topH !== undefined) keepTopH(candidates, topH)
  if (topK > 0) keepTopK(candidates, topK)
  if (topP < 1) keepTopP(candidates, topP)
  if (minP > 0) keepMinP(candidates, minP)
  if (typicalP < 1) keepTypical(candidates, typicalP)
  if (epsilonCutoff > 0) keepAboveEpsilon(candidates, epsilonCutoff)
  if (etaCutoff > 0) keepAboveEta(candidates, etaCutoff)
}

/**
 * Probabilities of the next token after all processors and warpers. logits: [vocabSize] F32, left as it is; result: [vocabSize] F32, sums to 1, 0 where a filter cut.
 * Throws "generate/bad-setting", "generate/logits-not-finite". Source: transformers 5.18 `_get_logits_processor`.
 */
export function applyLogitsProcessors(logits: Float32Array, inputIds: readonly number[], settings: LogitsSettings): Float32Array {
  checkLogitsSettings(settings)
  const candidates = createCandidates(logits.length)
  fillCandidates(candidates, logits.slice())
  applyProcessors(candidates, inputIds, settings)
  const result = new Float32Array(logits.length)
  if (settings.temperature === 0) {
    result[candidates.ids[argmax(candidates)] ?? 0] = 1
    return result
  }
  applyWarpers(candidates, settings)
  const probabilities = softmax(candidates)
  for (let index = 0; index < candidates.count; index++) result[candidates.ids[index] ?? 0] = probabilities[index] ?? 0
  return result
}

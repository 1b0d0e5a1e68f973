// Settings of the logits processors and warpers, by Transformers' names in camelCase, and the ranges that hold for them.
import { engineError } from '../errors'

/** A sequence of token ids and what is added to the score of its last one wherever the others stand just before. */
export type SequenceBias = readonly [ids: readonly number[], bias: number]

/**
 * Settings by Transformers' names in camelCase; what is left out is off. `temperature` 0 means greedy: the highest score gets probability 1. The second block is what
 * Transformers does not have: OpenAI's penalties and bias, DRY, XTC, mirostat 2 and dynamic temperature.
 */
export interface LogitsSettings {
  readonly doSample?: boolean
  readonly repetitionPenalty?: number
  readonly encoderRepetitionPenalty?: number
  readonly noRepeatNgramSize?: number
  readonly encoderNoRepeatNgramSize?: number
  readonly sequenceBias?: readonly SequenceBias[]
  readonly badWordsIds?: readonly (readonly number[])[]
  readonly minLength?: number
  readonly minNewTokens?: number
  readonly maxLength?: number
  readonly forcedBosTokenId?: number
  readonly forcedEosTokenId?: number | readonly number[]
  readonly removeInvalidValues?: boolean
  /** Tokens of the reply after which the end becomes likelier, and the factor by which it does so with every token. */
  readonly exponentialDecayLengthPenalty?: readonly [start: number, factor: number]
  readonly suppressTokens?: readonly number[]
  readonly beginSuppressTokens?: readonly number[]
  readonly temperature?: number
  readonly topH?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly typicalP?: number
  readonly epsilonCutoff?: number
  readonly etaCutoff?: number
  /** Fewest tokens that each filter leaves; 1 except in Transformers' beam search. */
  readonly minTokensToKeep?: number
  /** Log-probabilities instead of scores at the end; it changes no probability. */
  readonly renormalizeLogits?: boolean
  readonly eosTokenId?: number | readonly number[]

  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly logitBias?: readonly (readonly [id: number, bias: number])[]
  readonly dryMultiplier?: number
  readonly dryBase?: number
  readonly dryAllowedLength?: number
  /** Tokens at which DRY's search for a repetition stops. */
  readonly drySequenceBreakerIds?: readonly number[]
  readonly xtcProbability?: number
  readonly xtcThreshold?: number
  /** 2 switches mirostat 2 on, in place of the filters. */
  readonly mirostat?: number
  readonly mirostatTau?: number
  readonly mirostatEta?: number
  readonly dynamicTemperatureRange?: number
  readonly dynamicTemperatureExponent?: number
  /** Ids of `inputIds` that are the prompt. Left out, all of them are for Transformers' processors and none for the presence and frequency penalties. */
  readonly promptLength?: number
}

type NumberSetting = {
  [K in keyof LogitsSettings]-?: number extends LogitsSettings[K] ? K : never
}[keyof LogitsSettings]

interface SettingRange {
  readonly accepts: (value: number) => boolean
  readonly allowed: string
}
const finite = Number.isFinite
const count: SettingRange = { accepts: (value) => Number.isInteger(value) && value >= 0, allowed: 'a whole number, 0 or more' }
const share: SettingRange = { accepts: (value) => value >= 0 && value <= 1, allowed: 'a number from 0 to 1' }
const shareAboveZero: SettingRange = { accepts: (value) => value > 0 && value <= 1, allowed: 'a number above 0 and at most 1' }
const cutoff: SettingRange = { accepts: (value) => value >= 0 && value < 1, allowed: 'a number from 0 to below 1' }
const factor: SettingRange = { accepts: (value) => finite(value) && value > 0, allowed: 'a number above 0' }
const zeroUp: SettingRange = { accepts: (value) => finite(value) && value >= 0, allowed: 'a number, 0 or more' }
const anyNumber: SettingRange = { accepts: finite, allowed: 'a number' }
const RANGES: Readonly<Partial<Record<keyof LogitsSettings, SettingRange>>> = {
  repetitionPenalty: factor,
  encoderRepetitionPenalty: factor,
  noRepeatNgramSize: count,
  encoderNoRepeatNgramSize: count,
  minLength: count,
  minNewTokens: count,
  maxLength: count,
  forcedBosTokenId: count,
  temperature: zeroUp,
  topH: shareAboveZero,
  topK: count,
  topP: share,
  minP: share,
  typicalP: shareAboveZero,
  epsilonCutoff: cutoff,
  etaCutoff: cutoff,
  minTokensToKeep: { accepts: (value) => Number.isInteger(value) && value >= 1, allowed: 'a whole number above 0' },
  presencePenalty: anyNumber,
  frequencyPenalty: anyNumber,
  dryMultiplier: zeroUp,
  dryBase: { accepts: (value) => finite(value) && value >= 1, allowed: 'a number, 1 or more' },
  dryAllowedLength: count,
  xtcProbability: share,
  xtcThreshold: share,
  mirostat: { accepts: (value) => value === 0 || value === 2, allowed: '0 (off) or 2' },
  mirostatTau: zeroUp,
  mirostatEta: share,
  dynamicTemperatureRange: zeroUp,
  dynamicTemperatureExponent: factor,
  promptLength: count,
} satisfies Readonly<Partial<Record<NumberSetting | 'forcedBosTokenId', SettingRange>>>

const ID_LISTS = ['suppressTokens', 'beginSuppressTokens', 'drySequenceBreakerIds'] as const satisfies readonly (keyof LogitsSettings)[]
/** OpenAI takes 300 biases; this leaves room for word lists and still fits any message. */
const MAX_LIST_ENTRIES = 65_536

function refuse(setting: string, value: unknown, allowed: string): never {
  throw engineError('generate/bad-setting', { setting, value: typeof value === 'number' ? String(value) : typeof value, allowed })
}

const isId = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0
const isIdList = (value: unknown): boolean => Array.isArray(value) && value.length <= MAX_LIST_ENTRIES && value.every(isId)
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length <= MAX_LIST_ENTRIES

function isBias(entry: unknown, accepts: (ids: unknown) => boolean): boolean {
  if (!isList(entry) || entry.length !== 2) return false
  const [ids, bias] = entry
  // Minus infinity bans; plus infinity and NaN would spoil every other score.
  return accepts(ids) && typeof bias === 'number' && bias < Number.POSITIVE_INFINITY
}

/** Throws "generate/bad-setting" for a setting outside its range; unknown keys are not looked at. */
export function checkLogitsSettings(settings: LogitsSettings): void {
  for (const [name, range] of Object.entries(RANGES)) {
    const value: unknown = settings[name as keyof LogitsSettings]
    if (value !== undefined && (typeof value !== 'number' || !range.accepts(value))) refuse(name, value, range.allowed)
  }
  for (const name of ID_LISTS) {
    const value: unknown = settings[name]
    if (value !== undefined && !isIdList(value)) refuse(name, value, 'a list of token ids')
  }
  const { forcedEosTokenId, eosTokenId, badWordsIds, sequenceBias, logitBias, exponentialDecayLengthPenalty: decay } = settings
  for (const [name, value] of Object.entries({ forcedEosTokenId, eosTokenId }))
    if (value !== undefined && !isId(value) && !isIdList(value)) refuse(name, value, 'a token id or a list of them')
  if (badWordsIds !== undefined && !(isList(badWordsIds) && badWordsIds.every((ids) => isIdList(ids) && ids.length > 0)))
    refuse('badWordsIds', badWordsIds, 'a list of lists of token ids, none empty')
  if (
    sequenceBias !== undefined &&
    !(isList(sequenceBias) && sequenceBias.every((entry) => isBias(entry, isIdList) && entry[0].length > 0))
  )
    refuse('sequenceBias', sequenceBias, 'a list of pairs of token ids and a number')
  if (logitBias !== undefined && !(isList(logitBias) && logitBias.every((entry) => isBias(entry, isId))))
    refuse('logitBias', logitBias, 'a list of pairs of a token id and a number')
  if (decay !== undefined && !(isList(decay) && isId(decay[0]) && finite(decay[1]) && decay[1] > 0))
    refuse('exponentialDecayLengthPenalty', decay, 'a whole number and a factor above 0')
}

/** One id or several as a list without repetitions. */
export function idList(ids: number | readonly number[] | undefined): readonly number[] {
  return ids === undefined ? [] : typeof ids === 'number' ? [ids] : [...new Set(ids)]
}

// All processors and warpers in the order of Transformers' generate(), ours behind them, and the probabilities that result.
import { argmax, createCandidates, dropBanned, fillCandidates, softmax, type Candidates } from './candidates'
import { applyDynamicTemperature, excludeTopChoices, keepUnsurprising, type MirostatState } from './creative-warpers'
import { checkLogitsSettings, idList, type LogitsSettings } from './logits-settings'
import { applyDry, applyPresenceAndFrequency } from './penalties'
import {
  addSequenceBias,
  applyRepetitionPenalty,
  banIds,
  banRepeatedNgrams,
  banWords,
  forceIds,
  raiseEnd,
  replaceInvalid,
} from './processors'
import { applyTemperature, keepAboveEpsilon, keepAboveEta, keepMinP, keepTopH, keepTopK, keepTopP, keepTypical } from './warpers'

/** Values of DRY, XTC, mirostat and dynamic temperature where only their switch is given: those their authors advise. */
export const SAMPLER_DEFAULTS = {
  dryBase: 1.75,
  dryAllowedLength: 2,
  xtcThreshold: 0.1,
  mirostatTau: 5,
  mirostatEta: 0.1,
  dynamicTemperatureExponent: 1,
} as const

/**
 * Applies the processors (which hold for greedy decoding too) to scores [vocabSize] F32 in place; a ban is minus infinity.
 * Order: transformers 5.18 `_get_logits_processor`, then presence and frequency penalties, then DRY. `logitBias` counts as a sequence bias of one token.
 */
export function applyProcessors(scores: Float32Array, inputIds: readonly number[], settings: LogitsSettings): void {
  applyBiases(scores, inputIds, settings)
  applyRepetitionRules(scores, inputIds, settings)
  applyLengthRules(scores, inputIds, settings)
  const { presencePenalty = 0, frequencyPenalty = 0, dryMultiplier = 0 } = settings
  if (presencePenalty !== 0 || frequencyPenalty !== 0)
    applyPresenceAndFrequency(scores, inputIds.slice(settings.promptLength ?? 0), {
      presence: presencePenalty,
      frequency: frequencyPenalty,
    })
  if (dryMultiplier > 0)
    applyDry(scores, inputIds, {
      multiplier: dryMultiplier,
      base: settings.dryBase ?? SAMPLER_DEFAULTS.dryBase,
      allowedLength: settings.dryAllowedLength ?? SAMPLER_DEFAULTS.dryAllowedLength,
      breakers: new Set(settings.drySequenceBreakerIds),
    })
}

function applyBiases(scores: Float32Array, inputIds: readonly number[], { sequenceBias = [], logitBias = [] }: LogitsSettings): void {
  if (sequenceBias.length > 0) addSequenceBias(scores, inputIds, sequenceBias)
  if (logitBias.length > 0)
    addSequenceBias(
      scores,
      inputIds,
      logitBias.map(([id, bias]) => [[id], bias]),
    )
}

function applyRepetitionRules(scores: Float32Array, inputIds: readonly number[], settings: LogitsSettings): void {
  const { repetitionPenalty = 1, encoderRepetitionPenalty = 1, noRepeatNgramSize = 0, encoderNoRepeatNgramSize = 0 } = settings
  const promptIds = inputIds.slice(0, settings.promptLength ?? inputIds.length)
  if (encoderRepetitionPenalty !== 1) applyRepetitionPenalty(scores, promptIds, 1 / encoderRepetitionPenalty)
  if (repetitionPenalty !== 1) applyRepetitionPenalty(scores, inputIds, repetitionPenalty)
  if (noRepeatNgramSize > 0) banRepeatedNgrams(scores, { inputIds, earlier: inputIds, size: noRepeatNgramSize })
  if (encoderNoRepeatNgramSize > 0) banRepeatedNgrams(scores, { inputIds, earlier: promptIds, size: encoderNoRepeatNgramSize })
}

function applyLengthRules(scores: Float32Array, inputIds: readonly number[], settings: LogitsSettings): void {
  const { badWordsIds, minLength = 0, minNewTokens = 0, maxLength, forcedBosTokenId, exponentialDecayLengthPenalty: decay } = settings
  const eosTokenIds = idList(settings.eosTokenId)
  const forcedEos = idList(settings.forcedEosTokenId)
  const length = inputIds.length
  const promptLength = settings.promptLength ?? length
  if (badWordsIds !== undefined) banWords(scores, { inputIds, words: badWordsIds, eosTokenIds })
  if (length < minLength || length - promptLength < minNewTokens) banIds(scores, eosTokenIds)
  if (forcedBosTokenId !== undefined && length === 1) forceIds(scores, [forcedBosTokenId])
  if (forcedEos.length > 0 && maxLength !== undefined && length === maxLength - 1) forceIds(scores, forcedEos)
  if (settings.removeInvalidValues === true) replaceInvalid(scores)
  if (decay !== undefined && length > decay[0] + promptLength)
    raiseEnd(scores, { eosTokenIds, factor: decay[1], tokensBeyond: length - decay[0] - promptLength })
  if (settings.suppressTokens !== undefined) banIds(scores, settings.suppressTokens)
  const beginIndex = promptLength > 1 || forcedBosTokenId === undefined ? promptLength : promptLength + 1
  if (settings.beginSuppressTokens !== undefined && length === beginIndex) banIds(scores, settings.beginSuppressTokens)
}

/** What warpers keep between the tokens of one reply, and the draw of XTC. */
export interface WarperState {
  readonly mirostat: MirostatState
  /** Whether XTC takes the top choices away this time. */
  readonly excludesTop: boolean
}

/** The state before the first token. */
export function firstWarperState({ mirostatTau = SAMPLER_DEFAULTS.mirostatTau }: LogitsSettings): MirostatState {
  return { mu: 2 * mirostatTau }
}

/**
 * Applies the warpers (sampling only; `temperature` must not be 0), in Transformers' order; XTC comes last, mirostat takes the place of every filter.
 * At least one candidate stays.
 */
export function applyWarpers(candidates: Candidates, settings: LogitsSettings, state: WarperState): void {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, typicalP = 1, epsilonCutoff = 0, etaCutoff = 0 } = settings
  const { minTokensToKeep: atLeast = 1, dynamicTemperatureRange: range = 0, mirostat = 0 } = settings
  const exponent = settings.dynamicTemperatureExponent ?? SAMPLER_DEFAULTS.dynamicTemperatureExponent
  if (range > 0) applyDynamicTemperature(candidates, { temperature, range, exponent })
  else if (temperature !== 1) applyTemperature(candidates, temperature)
  if (mirostat === 2) {
    keepUnsurprising(candidates, state.mirostat)
    return
  }
  // Unlike the others, top-H at 1 still cuts (it looks at 100 tokens only), so it counts as off only when it is left out.
  if (settings.topH !== undefined) keepTopH(candidates, settings.topH)
  if (topK > 0) keepTopK(candidates, Math.max(topK, atLeast))
  if (topP < 1) keepTopP(candidates, topP, atLeast)
  if (minP > 0) keepMinP(candidates, minP, atLeast)
  if (typicalP < 1) keepTypical(candidates, typicalP, atLeast)
  if (epsilonCutoff > 0) keepAboveEpsilon(candidates, epsilonCutoff, atLeast)
  if (etaCutoff > 0) keepAboveEta(candidates, etaCutoff, atLeast)
  if (state.excludesTop)
    excludeTopChoices(candidates, settings.xtcThreshold ?? SAMPLER_DEFAULTS.xtcThreshold, new Set(idList(settings.eosTokenId)))
}

/**
 * Probabilities of the next token after all processors and warpers. logits: [vocabSize] F32, left as it is; result: [vocabSize] F32, sums to 1, 0 where a filter cut.
 * XTC's chance is part of the result; mirostat is as before its first token. Throws "generate/bad-setting", "generate/logits-not-finite", "generate/no-token-left".
 * Source: transformers 5.18 `_get_logits_processor`.
 */
export function applyLogitsProcessors(logits: Float32Array, inputIds: readonly number[], settings: LogitsSettings): Float32Array {
  checkLogitsSettings(settings)
  const scores = logits.slice()
  applyProcessors(scores, inputIds, settings)
  const result = new Float32Array(logits.length)
  if (settings.temperature === 0) {
    const candidates = candidatesOf(scores)
    result[candidates.ids[argmax(candidates)] ?? 0] = 1
    return result
  }
  const { xtcProbability = 0 } = settings
  const branches = [
    { chance: 1 - xtcProbability, excludesTop: false },
    { chance: xtcProbability, excludesTop: true },
  ]
  for (const { chance, excludesTop } of branches.filter(({ chance }) => chance > 0)) {
    const candidates = candidatesOf(scores.slice())
    if (settings.doSample !== false) applyWarpers(candidates, settings, { mirostat: firstWarperState(settings), excludesTop })
    const probabilities = softmax(candidates)
    for (let index = 0; index < candidates.count; index++) {
      const id = candidates.ids[index] ?? 0
      result[id] = (result[id] ?? 0) + chance * (probabilities[index] ?? 0)
    }
  }
  return result
}

function candidatesOf(scores: Float32Array): Candidates {
  const candidates = createCandidates(scores.length)
  fillCandidates(candidates, scores)
  dropBanned(candidates)
  return candidates
}

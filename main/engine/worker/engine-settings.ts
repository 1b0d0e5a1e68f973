// Sampling settings of the contract as the engine takes them, and back.
import type { SamplingSettings } from '../../../engine/generate/types'
import type { Sampling } from '../../../preload/contract'
import { SAMPLING_OFF } from '../../../preload/contract-sampling-off'

/** At this bias a token is meant to be banned (OpenAI API reference, logit_bias). */
const BAN = -100

/** The engine's settings; what is off is left out. */
export function engineSettings(sampling: Sampling): SamplingSettings {
  const { topH, mirostat, logitBias, constraint, ...rest } = sampling
  return {
    ...rest,
    ...(topH !== null && { topH }),
    mirostat: mirostat ? 2 : 0,
    logitBias: logitBias.map(([id, bias]) => [id, bias <= BAN ? Number.NEGATIVE_INFINITY : bias]),
    constraint,
  }
}

/** A model's defaults as the window shows them. */
export function contractSampling({
  temperature,
  topK,
  topP,
  minP,
  repetitionPenalty,
  seed,
  maxNewTokens,
  stop,
}: SamplingSettings): Sampling {
  return { ...SAMPLING_OFF, temperature, topK, topP, minP, repetitionPenalty, seed, maxNewTokens, stop: [...stop] }
}

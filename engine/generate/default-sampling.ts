// What a reply is sampled with when nobody says otherwise: the author's generation_config.json, filled up with ours.
import type { GenerationDefaults } from '../config/decoder-config'
import type { SamplingSettings } from './types'

/** Values for what the author leaves open; those that chat applications commonly start from. */
const OURS = { temperature: 0.7, topK: 40, topP: 0.95, minP: 0, repetitionPenalty: 1 } as const

/** The author's defaults, filled up with ours. `do_sample: false` is greedy decoding: temperature 0. */
export function defaultSampling(defaults: GenerationDefaults): SamplingSettings {
  return {
    temperature: defaults.doSample === false ? 0 : (defaults.temperature ?? OURS.temperature),
    topK: defaults.topK ?? OURS.topK,
    topP: defaults.topP ?? OURS.topP,
    minP: defaults.minP ?? OURS.minP,
    repetitionPenalty: defaults.repetitionPenalty ?? OURS.repetitionPenalty,
    seed: null,
    maxNewTokens: defaults.maxNewTokens,
    stop: [],
  }
}

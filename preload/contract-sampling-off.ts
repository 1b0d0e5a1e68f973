// The sampling settings beyond the basic ones, switched off. Without the schema library, so that the window can hold on to it.

/** What the settings are that older versions did not have, and that no model's author gives: all off. */
export const SAMPLING_OFF = {
  typicalP: 1,
  topH: null,
  epsilonCutoff: 0,
  etaCutoff: 0,
  minNewTokens: 0,
  presencePenalty: 0,
  frequencyPenalty: 0,
  noRepeatNgramSize: 0,
  dryMultiplier: 0,
  dryBase: 1.75,
  dryAllowedLength: 2,
  drySequenceBreakers: ['\n', ':', '"', '*'],
  xtcProbability: 0,
  xtcThreshold: 0.1,
  mirostat: false,
  mirostatTau: 5,
  mirostatEta: 0.1,
  dynamicTemperatureRange: 0,
  dynamicTemperatureExponent: 1,
  logitBias: [],
  constraint: null,
}

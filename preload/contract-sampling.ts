// Sampling settings as they cross the border and are stored, with the values that switch each of the later ones off.
import * as v from 'valibot'
import { SAMPLING_OFF } from './contract-sampling-off'

const number = (min: number, max: number) => v.pipe(v.number(), v.minValue(min), v.maxValue(max))
const integer = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))
const shortTexts = v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(200))), v.maxLength(16))

/** The form that a reply must have. The engine checks its text with "engine.checkConstraint". */
export const constraintSchema = v.strictObject({
  kind: v.picklist(['json-schema', 'grammar', 'regex']),
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(262_144)),
})

/** Sampling settings with the ranges that the panel offers; temperature 0 is greedy, 0 / 1 / null turn a filter off as marked in the engine. */
const samplingFields = v.object({
  temperature: number(0, 5),
  topK: integer(0, 1000),
  topP: number(0, 1),
  minP: number(0, 1),
  repetitionPenalty: number(0.1, 5),
  seed: v.nullable(integer(0, 4_294_967_295)),
  maxNewTokens: v.nullable(integer(1, 1_000_000)),
  stop: shortTexts,
  typicalP: number(0.01, 1),
  topH: v.nullable(number(0.01, 1)),
  epsilonCutoff: number(0, 0.99),
  etaCutoff: number(0, 0.99),
  minNewTokens: integer(0, 1_000_000),
  presencePenalty: number(-2, 2),
  frequencyPenalty: number(-2, 2),
  noRepeatNgramSize: integer(0, 1000),
  dryMultiplier: number(0, 10),
  dryBase: number(1, 10),
  dryAllowedLength: integer(0, 1000),
  drySequenceBreakers: shortTexts,
  xtcProbability: number(0, 1),
  xtcThreshold: number(0, 1),
  mirostat: v.boolean(),
  mirostatTau: number(0, 20),
  mirostatEta: number(0, 1),
  dynamicTemperatureRange: number(0, 5),
  dynamicTemperatureExponent: number(0.1, 10),
  /** -100 bans, as in the OpenAI API. */
  logitBias: v.pipe(v.array(v.tuple([integer(0, 4_194_304), number(-100, 100)])), v.maxLength(300)),
  constraint: v.nullable(constraintSchema),
})
export type Sampling = v.InferOutput<typeof samplingFields>
export type Constraint = v.InferOutput<typeof constraintSchema>

/** Checks sampling settings; what an older version did not write is off. */
export const samplingSchema = v.pipe(
  v.custom<Sampling>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'It must be an object.'),
  v.transform((given) => ({ ...SAMPLING_OFF, ...given })),
  samplingFields,
)

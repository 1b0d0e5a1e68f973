// Sampling options of the command line, and the settings they make over a model's defaults.
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { SamplingSettings } from '../../../engine/generate/types'
import { cliError } from './cli-error'
import { collect, integerFrom, numberFrom } from './options'
import { readText } from './read-text'

/** Sampling options as commander hands them over. */
export interface SamplingOptions {
  readonly maxTokens?: number
  readonly minTokens?: number
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly typicalP?: number
  readonly topH?: number
  readonly epsilonCutoff?: number
  readonly etaCutoff?: number
  readonly repetitionPenalty?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly ngramBlock?: number
  readonly dryMultiplier?: number
  readonly dryBase?: number
  readonly dryAllowedLength?: number
  readonly dryBreaker?: readonly string[]
  readonly xtcProbability?: number
  readonly xtcThreshold?: number
  readonly mirostat?: number
  readonly mirostatTau?: number
  readonly mirostatEta?: number
  readonly dynatempRange?: number
  readonly dynatempExponent?: number
  readonly logitBias?: readonly (readonly [number, number])[]
  readonly jsonSchema?: string
  readonly grammar?: string
  readonly regex?: string
  readonly seed?: number
  readonly stop?: readonly string[]
}

/** Adds the options to a command. */
export function addSamplingOptions(command: Command): Command {
  return command
    .option('--max-tokens <n>', 'most tokens of a reply', integerFrom(1, 1_000_000))
    .option('--min-tokens <n>', 'fewest tokens of a reply', integerFrom(0, 1_000_000))
    .option('--temperature <t>', '0 always takes the likeliest token', numberFrom(0, 5))
    .option('--top-k <n>', 'sample from the n likeliest tokens; 0 = all', integerFrom(0, 1_000_000))
    .option('--top-p <p>', 'sample from the likeliest tokens that sum to p; 1 = all', numberFrom(0, 1))
    .option('--min-p <p>', 'leave out tokens below p times the likeliest; 0 = none', numberFrom(0, 1))
    .option('--typical-p <p>', 'sample from the most typical tokens that sum to p; 1 = all', numberFrom(0.001, 1))
    .option('--top-h <h>', 'sample from the likeliest tokens within this share of the entropy', numberFrom(0.001, 1))
    .option('--epsilon-cutoff <p>', 'leave out tokens below this probability; 0 = none', numberFrom(0, 0.999))
    .option('--eta-cutoff <p>', 'the same, softened where the model is unsure; 0 = none', numberFrom(0, 0.999))
    .option('--repetition-penalty <x>', 'above 1 discourages tokens that were used before', numberFrom(0.1, 5))
    .option('--presence-penalty <x>', 'above 0 discourages tokens of the reply so far', numberFrom(-2, 2))
    .option('--frequency-penalty <x>', 'the same, for every time they were used', numberFrom(-2, 2))
    .option('--ngram-block <n>', 'let no n tokens occur twice; 0 = off', integerFrom(0, 1000))
    .option('--dry-multiplier <x>', 'strength of the DRY penalty on longer repetitions; 0 = off', numberFrom(0, 10))
    .option('--dry-base <x>', 'how fast it grows with their length', numberFrom(1, 10))
    .option('--dry-allowed-length <n>', 'tokens that may be repeated freely', integerFrom(0, 1000))
    .option('--dry-breaker <text>', 'text that no repetition reaches across (may be repeated)', collect)
    .option('--xtc-probability <p>', 'how often the likeliest choices are left out (XTC); 0 = never', numberFrom(0, 1))
    .option('--xtc-threshold <p>', 'probability from which a token is such a choice', numberFrom(0, 1))
    .addOption(
      new Option('--mirostat <mode>', '2 = mirostat 2 in place of the filters; 0 = off').argParser((text: string) => {
        if (text !== '0' && text !== '2') throw new InvalidArgumentError('It must be 0 or 2.')
        return Number(text)
      }),
    )
    .option('--mirostat-tau <bits>', 'surprise that mirostat aims at', numberFrom(0, 20))
    .option('--mirostat-eta <x>', 'how fast it follows', numberFrom(0, 1))
    .option('--dynatemp-range <t>', 'temperature varies by this much with how sure the model is; 0 = off', numberFrom(0, 5))
    .option('--dynatemp-exponent <x>', 'shape of that', numberFrom(0.01, 10))
    .option('--logit-bias <id:bias>', 'add to the score of a token; -100 bans it (may be repeated)', logitBias)
    .option('--json-schema <file>', 'hold the reply to a JSON schema')
    .option('--grammar <file>', 'hold the reply to a GBNF grammar')
    .option('--regex <pattern>', 'hold the reply to a regular expression')
    .option('--seed <n>', 'the same seed gives the same reply', integerFrom(0, 4_294_967_295))
    .option('--stop <text>', 'end the reply before this text (may be repeated)', collect)
}

/** `id:bias`, also several with commas; -100 and less ban, as the OpenAI API means it. */
function logitBias(text: string, before: readonly (readonly [number, number])[] | undefined): readonly (readonly [number, number])[] {
  const pairs = text.split(',').map((pair) => {
    const found = /^\s*(\d+)\s*[:=]\s*([-+]?\d+(?:\.\d+)?)\s*$/.exec(pair)
    if (found === null) throw new InvalidArgumentError('It must be a token id, a colon and a number.')
    const bias = Number(found[2])
    return [Number(found[1]), bias <= -100 ? Number.NEGATIVE_INFINITY : bias] as const
  })
  return [...(before ?? []), ...pairs]
}

/** The model's defaults with what the options say instead. Reads the files of --json-schema and --grammar. */
export async function samplingSettings(defaults: SamplingSettings, options: SamplingOptions): Promise<SamplingSettings> {
  const constraint = await constraintOf(options)
  const { temperature, topK, topP, minP, repetitionPenalty, maxTokens } = options
  const given = {
    typicalP: options.typicalP,
    topH: options.topH,
    epsilonCutoff: options.epsilonCutoff,
    etaCutoff: options.etaCutoff,
    minNewTokens: options.minTokens,
    noRepeatNgramSize: options.ngramBlock,
    presencePenalty: options.presencePenalty,
    frequencyPenalty: options.frequencyPenalty,
    dryMultiplier: options.dryMultiplier,
    dryBase: options.dryBase,
    dryAllowedLength: options.dryAllowedLength,
    drySequenceBreakers: options.dryBreaker,
    xtcProbability: options.xtcProbability,
    xtcThreshold: options.xtcThreshold,
    mirostat: options.mirostat,
    mirostatTau: options.mirostatTau,
    mirostatEta: options.mirostatEta,
    dynamicTemperatureRange: options.dynatempRange,
    dynamicTemperatureExponent: options.dynatempExponent,
    logitBias: options.logitBias,
  }
  return {
    ...defaults,
    temperature: temperature ?? defaults.temperature,
    topK: topK ?? defaults.topK,
    topP: topP ?? defaults.topP,
    minP: minP ?? defaults.minP,
    repetitionPenalty: repetitionPenalty ?? defaults.repetitionPenalty,
    seed: options.seed ?? null,
    maxNewTokens: maxTokens ?? defaults.maxNewTokens,
    stop: options.stop ?? [],
    ...withoutUndefined(given),
    ...(constraint !== null && { constraint }),
  }
}

async function constraintOf({ jsonSchema, grammar, regex }: SamplingOptions): Promise<(SamplingSettings['constraint'] & object) | null> {
  const given = [jsonSchema, grammar, regex].filter((each) => each !== undefined)
  if (given.length > 1) throw cliError('cli/several-constraints', {})
  if (jsonSchema !== undefined) return { kind: 'json-schema', text: await readText(jsonSchema) }
  if (grammar !== undefined) return { kind: 'grammar', text: await readText(grammar) }
  return regex === undefined ? null : { kind: 'regex', text: regex }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function withoutUndefined<T extends object>(values: T): Defined<T> {
  // Only entries that are not undefined are left, which the type of fromEntries cannot say.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}

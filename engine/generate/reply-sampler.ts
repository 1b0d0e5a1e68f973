// The sampler of one reply with everything that depends on the model's tokens: stop ids, DRY's borders, the grammar, and log-probabilities.
import { engineError } from '../errors'
import { compileConstraint } from './grammar/compile-constraint'
import { createMatcher, type GrammarMatcher } from './grammar/matcher'
import type { GenerateOptions } from './generate-options'
import type { LogitsSettings } from './logits-settings'
import { readLogprobs, type StepLogprobs } from './logprobs'
import { createSampler } from './sampler'
import type { SamplingSettings } from './types'
import type { Vocabulary } from './vocabulary'

/** DRY's borders where none are given, as its author advises. */
const DRY_SEQUENCE_BREAKERS: readonly string[] = ['\n', ':', '"', '*']

/** Picks the tokens of one reply. */
export interface ReplySampler {
  /** The next id; `logprobs` is null unless they were asked for. The logits array is used as scratch. */
  readonly pick: (logits: Float32Array, ids: readonly number[]) => { readonly id: number; readonly logprobs: StepLogprobs | null }
  /** True when the grammar lets nothing follow. */
  readonly isComplete: () => boolean
}

/** Throws "generate/bad-setting", "generate/no-vocabulary", "generate/prefix-outside-grammar" and what compileConstraint throws. */
export function createReplySampler(options: GenerateOptions & { readonly seed: number }): ReplySampler {
  const { model, settings, seed, topLogprobs } = options
  const { vocabSize } = model.decoder.config
  const sampler = createSampler({ vocabSize, settings: logitsSettings(options), seed })
  const matcher = createReplyMatcher(options)
  return {
    pick: (logits, ids) => {
      const logprobs = topLogprobs === undefined ? null : readLogprobs(logits.slice(), topLogprobs)
      const id = sampler(logits, ids, matcher?.mask())
      matcher?.accept(id)
      return { id, logprobs }
    },
    isComplete: () => matcher?.isComplete() ?? false,
  }

  function createReplyMatcher({ prefillIds = [] }: GenerateOptions): GrammarMatcher | null {
    if (settings.constraint === undefined || settings.constraint === null) return null
    const vocabulary = vocabularyOf(options, 'A grammar')
    const made = createMatcher({ program: compileConstraint(settings.constraint), vocabulary, stopIds: model.stopIds })
    for (const id of prefillIds) {
      const bytes = vocabulary.bytesOf(id)
      if (bytes === null || !made.acceptBytes(bytes))
        throw engineError('generate/prefix-outside-grammar', { where: 'the beginning of the reply' })
    }
    return made
  }
}

function vocabularyOf({ model }: GenerateOptions, what: string): Vocabulary {
  const { vocabulary } = model
  if (vocabulary === undefined) throw engineError('generate/no-vocabulary', { what })
  return vocabulary
}

function logitsSettings(options: GenerateOptions): LogitsSettings {
  const { model, promptIds, settings } = options
  const { constraint: _, drySequenceBreakers, stop: __, seed: ___, maxNewTokens: ____, ...rest } = settings satisfies SamplingSettings
  const dries = (settings.dryMultiplier ?? 0) > 0
  return {
    ...rest,
    promptLength: promptIds.length,
    eosTokenId: [...model.stopIds],
    ...(dries && {
      drySequenceBreakerIds: vocabularyOf(options, 'DRY').idsContaining(drySequenceBreakers ?? DRY_SEQUENCE_BREAKERS),
    }),
  }
}

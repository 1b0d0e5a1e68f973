// Sizes of a decoder: counts of layers and heads, widths, context; checked against limits and against each other.
import { engineError } from '../errors'
import { fieldValue, type ConfigFields } from './config-fields'
import type { DecoderConfig } from './decoder-config'
import type { FamilyRow, NumberRule } from './families/types'
import { CONFIG_LIMITS } from './limits'
import { requiredRuleNumber, ruleFlag, ruleNumber, type KnownSizes } from './row-rules'

/** The sizes of a DecoderConfig. */
export type Sizes = Pick<
  DecoderConfig,
  | 'vocabSize'
  | 'hiddenSize'
  | 'intermediateSize'
  | 'numHiddenLayers'
  | 'numAttentionHeads'
  | 'numKeyValueHeads'
  | 'headDim'
  | 'maxPositionEmbeddings'
>

function fieldOf(rule: NumberRule, otherwise: string): string {
  if (rule === null || typeof rule === 'number') return otherwise
  return typeof rule.field === 'string' ? rule.field : (rule.field[0] ?? otherwise)
}

function readHeads(config: ConfigFields, { sizes: rules, latent }: FamilyRow, hiddenSize: number) {
  const heads = { limit: CONFIG_LIMITS.heads, whole: true, what: 'num_attention_heads' }
  const numAttentionHeads = requiredRuleNumber(config, rules.numAttentionHeads, heads)
  const numKeyValueHeads = ruleNumber(config, rules.numKeyValueHeads, { ...heads, sizes: { numAttentionHeads } }) ?? numAttentionHeads
  if (numAttentionHeads % numKeyValueHeads !== 0) {
    throw engineError('config/inconsistent', {
      path: config.path,
      fields: [fieldOf(rules.numAttentionHeads, 'num_attention_heads'), fieldOf(rules.numKeyValueHeads, 'num_key_value_heads')],
      reason: `${numAttentionHeads} heads cannot share ${numKeyValueHeads} key and value heads evenly`,
    })
  }
  // Rows without a field for it take the share of a head, unless the file says otherwise as Transformers' getattr does.
  const written = ruleNumber(config, rules.headDim, { limit: CONFIG_LIMITS.headDim, whole: true, sizes: { hiddenSize, numAttentionHeads } })
  // A latent decoder's heads have dimensions of their own.
  if (written === null && latent === null && hiddenSize % numAttentionHeads !== 0) {
    throw engineError('config/inconsistent', {
      path: config.path,
      fields: ['hidden_size', 'num_attention_heads'],
      reason: `${hiddenSize} is not a multiple of ${numAttentionHeads}, and there is no head_dim`,
    })
  }
  return { numAttentionHeads, numKeyValueHeads, headDim: written ?? hiddenSize / numAttentionHeads }
}

/** The dimensions of a head that a latent decoder computes scores with: plain and rotated ones. */
function latentHeadDim(config: ConfigFields, row: FamilyRow): number | null {
  if (row.latent === null || row.rope === null) return null
  const options = { limit: CONFIG_LIMITS.headDim, whole: true, what: 'qk_nope_head_dim' }
  return requiredRuleNumber(config, row.latent.plainDim, options) + requiredRuleNumber(config, row.rope.dim, options)
}

/** The width of the feed-forward. Adjusted as in `Lfm2MLP` of Transformers 5.18: truncated after every product. */
function readWidth(config: ConfigFields, { sizes: rules }: FamilyRow, sizes: KnownSizes): number {
  const limit = CONFIG_LIMITS.intermediateSize
  const written = requiredRuleNumber(config, rules.intermediateSize, { limit, whole: true, what: 'intermediate_size', sizes })
  const adjusted = rules.adjustedWidth
  if (adjusted === null || !ruleFlag(config, adjusted.enabled)) return written
  const narrow = Math.trunc((2 * written) / 3)
  const multiplier = ruleNumber(config, adjusted.multiplier, { limit: CONFIG_LIMITS.widthMultiplier })
  if (multiplier === null) return narrow
  const unit = ruleNumber(config, adjusted.multipleOf, { limit, whole: true }) ?? 1
  return Math.ceil(Math.trunc(multiplier * narrow) / unit) * unit
}

/** Reads the sizes. Throws "config/missing-field", "config/out-of-range", "config/inconsistent". */
export function readSizes(config: ConfigFields, row: FamilyRow): Sizes {
  const { sizes: rules } = row
  const hiddenSize = requiredRuleNumber(config, rules.hiddenSize, { limit: CONFIG_LIMITS.hiddenSize, whole: true, what: 'hidden_size' })
  const heads = readHeads(config, row, hiddenSize)
  const headDim = latentHeadDim(config, row) ?? heads.headDim
  const sizes = { hiddenSize, numAttentionHeads: heads.numAttentionHeads, headDim }
  // Read for the record: rows that do not use the field must not trip over it.
  fieldValue(config, 'head_dim')
  return {
    vocabSize: requiredRuleNumber(config, rules.vocabSize, { limit: CONFIG_LIMITS.vocabSize, whole: true, what: 'vocab_size' }),
    hiddenSize,
    intermediateSize: readWidth(config, row, sizes),
    numHiddenLayers: requiredRuleNumber(config, rules.numHiddenLayers, {
      limit: CONFIG_LIMITS.layers,
      whole: true,
      what: 'num_hidden_layers',
    }),
    ...heads,
    headDim,
    maxPositionEmbeddings:
      ruleNumber(config, rules.maxPositionEmbeddings, { limit: CONFIG_LIMITS.contextLength, whole: true }) ??
      CONFIG_LIMITS.contextLength.max,
  }
}

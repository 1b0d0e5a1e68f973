// Attention of a decoder -> AttentionConfig: projections, biases, norms of queries and keys, ALiBi slopes, latent attention.
import type { ConfigFields } from './config-fields'
import type { AttentionConfig, LatentConfig, NormConfig, QueryKeyNormConfig } from './decoder-config'
import type { FamilyRow } from './families/types'
import { CONFIG_LIMITS } from './limits'
import { readQueryScaling } from './read-rope'
import { requiredRuleNumber, ruleFlag, ruleNumber, type KnownSizes } from './row-rules'

function readQueryKeyNorm(config: ConfigFields, row: FamilyRow, norm: NormConfig): QueryKeyNormConfig | null {
  const rules = row.attention.queryKeyNorm
  if (rules === null || !ruleFlag(config, rules.enabled)) return null
  const kind = rules.norm === 'own' ? norm.kind : rules.norm
  const plusOne = rules.norm === 'own' && norm.plusOne
  return { scope: rules.scope, norm: { kind, plusOne, weight: true, bias: rules.bias, eps: norm.eps }, afterRope: rules.afterRope }
}

/**
 * One slope per head: powers of 2^(-maxBias / n) for n the next power of two, every second one last. Source: Train Short, Test Long (arXiv 2108.12409),
 * in the order that Transformers' bloom, falcon and mpt use.
 */
function alibiSlopes(
  numHeads: number,
  options: { readonly maxBias: number; readonly order: 'doubled-last' | 'odd-first' },
): readonly number[] {
  const { maxBias, order } = options
  const f32 = Math.fround
  if (order === 'odd-first') {
    const count = 2 ** Math.ceil(Math.log2(numHeads))
    const slopes = Array.from({ length: count }, (_, index) => f32(1 / Math.pow(2, f32((index + 1) * f32(maxBias / count)))))
    if (count === numHeads) return slopes
    return [...slopes.filter((_, index) => index % 2 === 1), ...slopes.filter((_, index) => index % 2 === 0)].slice(0, numHeads)
  }
  const count = 2 ** Math.floor(Math.log2(numHeads))
  const power = (exponentBase: number, exponent: number): number =>
    f32(Math.pow(f32(2 ** -(2 ** -(Math.log2(exponentBase) - Math.log2(maxBias)))), exponent))
  const slopes = Array.from({ length: count }, (_, index) => power(count, index + 1))
  const more = Array.from({ length: numHeads - count }, (_, index) => power(2 * count, 2 * index + 1))
  return [...slopes, ...more]
}

function readAlibi(config: ConfigFields, row: FamilyRow, numHeads: number): AttentionConfig['alibi'] {
  if (row.alibi === null) return null
  const maxBias = ruleNumber(config, row.alibi.maxBias, { limit: CONFIG_LIMITS.alibiBias }) ?? 8
  const order = row.alibi.order
  return { slopes: alibiSlopes(numHeads, { maxBias, order }), rounded: row.alibi.rounded }
}

function readLatent(config: ConfigFields, row: FamilyRow, sizes: KnownSizes): LatentConfig | null {
  if (row.latent === null) return null
  const size = { limit: CONFIG_LIMITS.hiddenSize, whole: true, what: 'latent' } as const
  return {
    queryRank: ruleNumber(config, row.latent.queryRank, size),
    keyValueRank: requiredRuleNumber(config, row.latent.keyValueRank, size),
    plainDim: requiredRuleNumber(config, row.latent.plainDim, { ...size, limit: CONFIG_LIMITS.headDim }),
    valueDim: requiredRuleNumber(config, row.latent.valueDim, { ...size, limit: CONFIG_LIMITS.headDim, sizes }),
  }
}

/** Reads the attention that all layers share. */
export function readAttention(
  config: ConfigFields,
  row: FamilyRow,
  context: { readonly norm: NormConfig; readonly numHeads: number; readonly hiddenSize: number },
): AttentionConfig {
  const { attention } = row
  return {
    projection: attention.projection,
    bias: { qkv: ruleFlag(config, attention.qkvBias), output: ruleFlag(config, attention.outputBias) },
    softCap: ruleNumber(config, attention.softCap, { limit: CONFIG_LIMITS.softCap }),
    clip: ruleNumber(config, attention.clip, { limit: CONFIG_LIMITS.softCap }),
    sinks: attention.sinks,
    queryScaling: row.rope === null ? null : readQueryScaling(config, row.rope),
    queryKeyNorm: readQueryKeyNorm(config, row, context.norm),
    latent: readLatent(config, row, { headDim: context.hiddenSize / context.numHeads }),
    alibi: readAlibi(config, row, context.numHeads),
  }
}

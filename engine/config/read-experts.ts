// Experts of a decoder -> ExpertsConfig, and which layers have them.
import { engineError } from '../errors'
import { fieldValue, wrongType, type ConfigFields } from './config-fields'
import type { ExpertsConfig } from './decoder-config'
import type { ExpertRules } from './families/types'
import { CONFIG_LIMITS } from './limits'
import { requiredRuleNumber, ruleFlag, ruleNumber, type KnownSizes } from './row-rules'

/** Experts and the layers, by index, that have them. */
export interface ReadExperts {
  readonly experts: ExpertsConfig
  readonly sparseLayers: ReadonlySet<number>
}

function sparseLayers(config: ConfigFields, rules: ExpertRules, numHiddenLayers: number): ReadonlySet<number> {
  const index = { limit: CONFIG_LIMITS.layerIndex, whole: true }
  const first = ruleNumber(config, rules.firstDense, index) ?? 0
  const every = ruleNumber(config, rules.every, { ...index, limit: CONFIG_LIMITS.layers }) ?? 1
  const exceptions = rules.exceptField === null ? null : (fieldValue(config, rules.exceptField) ?? null)
  if (exceptions !== null && !Array.isArray(exceptions)) throw wrongType(config, rules.exceptField ?? '', 'a list of layers')
  const dense = new Set<unknown>(exceptions ?? [])
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) => layer)
  const written = rules.typesField === undefined ? null : (fieldValue(config, rules.typesField) ?? null)
  if (written !== null && rules.typesField !== undefined) {
    if (
      !Array.isArray(written) ||
      written.length < numHiddenLayers ||
      written.some((type: unknown) => type !== 'dense' && type !== 'sparse')
    )
      throw wrongType(config, rules.typesField, 'a list that says "dense" or "sparse" for every layer')
    return new Set(layers.filter((layer) => written[layer] === 'sparse'))
  }
  const last = ruleNumber(config, rules.lastSparse ?? null, { limit: CONFIG_LIMITS.lastLayer, whole: true }) ?? -1
  const end = last === -1 ? numHiddenLayers - 1 : last
  return new Set(layers.filter((layer) => layer >= first && layer <= end && (layer + 1) % every === 0 && !dense.has(layer)))
}

function readGroups(config: ConfigFields, rules: ExpertRules, count: number): ExpertsConfig['groups'] {
  if (rules.groups === null || !ruleFlag(config, rules.groups.enabled)) return null
  const limit = { limit: CONFIG_LIMITS.experts, whole: true }
  const groups = ruleNumber(config, rules.groups.count, limit)
  const chosen = ruleNumber(config, rules.groups.chosen, limit)
  if (groups === null || chosen === null || groups <= 1 || chosen >= groups) return null
  if (count % groups === 0) return { count: groups, chosen, score: rules.groups.score }
  throw engineError('config/inconsistent', {
    path: config.path,
    fields: ['n_group'],
    reason: `${count} experts make no ${groups} equal groups`,
  })
}

/** Reads the experts; null where the model has none after all. */
export function readExperts(
  config: ConfigFields,
  rules: ExpertRules,
  context: { readonly sizes: KnownSizes; readonly numHiddenLayers: number },
): ReadExperts | null {
  const { sizes, numHiddenLayers } = context
  const limit = { limit: CONFIG_LIMITS.experts, whole: true, what: 'num_experts' }
  const width = { limit: CONFIG_LIMITS.intermediateSize, whole: true, what: 'moe_intermediate_size', sizes }
  const count = ruleNumber(config, rules.count, limit)
  if (count === null) return null
  const perToken = requiredRuleNumber(config, rules.perToken, limit)
  if (perToken > count) {
    throw engineError('config/inconsistent', {
      path: config.path,
      fields: ['num_experts_per_tok'],
      reason: `${perToken} of ${count} experts cannot be chosen`,
    })
  }
  const sharedCount = rules.shared === null ? null : ruleNumber(config, rules.shared.count, { ...limit, limit: { ...limit.limit, min: 0 } })
  const sharedWidth =
    rules.shared === null ? null : ruleNumber(config, rules.shared.intermediateSize, { ...width, limit: { ...width.limit, min: 0 } })
  const sharedSize = (sharedCount ?? 0) * (sharedWidth ?? 0)
  const experts: ExpertsConfig = {
    count,
    perToken,
    intermediateSize: requiredRuleNumber(config, rules.intermediateSize, width),
    scoring: rules.scoring,
    jitter: ruleNumber(config, rules.jitter ?? null, { limit: CONFIG_LIMITS.jitter }),
    normalize: ruleFlag(config, rules.normalize),
    smallestSum: rules.smallestSum,
    scale: ruleNumber(config, rules.scale, { limit: CONFIG_LIMITS.multiplier }) ?? 1,
    correction: rules.correction,
    groups: readGroups(config, rules, count),
    storage: rules.storage,
    routerBias: rules.routerBias,
    shared: rules.shared === null || sharedSize === 0 ? null : { intermediateSize: sharedSize, gated: rules.shared.gated },
  }
  return { experts, sparseLayers: sparseLayers(config, rules, numHiddenLayers) }
}

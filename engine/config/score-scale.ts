// The number that attention scores are multiplied with.
import type { ConfigFields } from './config-fields'
import type { RopeConfig } from './decoder-config'
import type { FamilyRow } from './families/types'
import { CONFIG_LIMITS } from './limits'
import { ruleNumber } from './row-rules'

/** DeepSeek scales scores with the square of YaRN's magnitude where `mscale_all_dim` is given. Source: Transformers 5.18 modeling_deepseek_v3.py. */
function yarnShare(rope: RopeConfig | null): number {
  if (rope?.scaling.kind !== 'yarn' || rope.scaling.mscaleAllDim === null || rope.scaling.factor <= 1) return 1
  return (0.1 * rope.scaling.mscaleAllDim * Math.log(rope.scaling.factor) + 1) ** 2
}

/** The row's own scale, else 1 / sqrt(headDim). */
export function scoreScale(
  config: ConfigFields,
  row: FamilyRow,
  context: { readonly headDim: number; readonly rope: RopeConfig | null },
): number {
  const scale = ruleNumber(config, row.attention.scale, { limit: CONFIG_LIMITS.multiplier }) ?? 1 / Math.sqrt(context.headDim)
  return row.latent?.scaledByYarn === true ? scale * yarnShare(context.rope) : scale
}

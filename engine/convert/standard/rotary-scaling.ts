// Llama 3's rotary scaling, which Meta's params.json names but does not spell out. Factors as in Transformers 5.18 (convert_llama_weights_to_hf.py).
import type { PlannedConfigField } from '../types'
import type { Facts } from './facts'
import { reason } from './reasons'
import type { DecoderShapes } from './shapes'

/** Widths of Llama 3.2's text models, whose factor is 32; Llama 3.1's and 3.3's is 8. */
const LLAMA_3_2_WIDTHS: ReadonlySet<number> = new Set([2048, 3072])

/** Fields of `rope_scaling`; none where params.json does not ask for them or a person answered. */
export function rotaryScaling(evidence: {
  readonly facts: Facts
  readonly shapes: DecoderShapes
  readonly answered: ReadonlySet<string>
}): readonly PlannedConfigField[] {
  const { facts, shapes, answered } = evidence
  const asked = facts.find(['use_scaled_rope'])
  if (asked?.value !== true) return []
  const stated = (name: string, value: string | number): PlannedConfigField => ({
    name: `rope_scaling.${name}`,
    value,
    origin: 'file',
    reason: asked.reason,
  })
  const factor = LLAMA_3_2_WIDTHS.has(shapes.hiddenSize) ? 32 : 8
  const fields: readonly PlannedConfigField[] = [
    stated('rope_type', 'llama3'),
    {
      name: 'rope_scaling.factor',
      value: factor,
      origin: 'guess',
      reason: reason('family-default', { family: factor === 32 ? 'Llama 3.2' : 'Llama 3.1' }),
    },
    stated('low_freq_factor', 1),
    stated('high_freq_factor', 4),
    stated('original_max_position_embeddings', 8192),
  ]
  return fields.filter(({ name }) => !answered.has(name))
}

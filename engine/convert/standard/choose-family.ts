// Which families have exactly the parts that a state dict has.
import { TARGET_FAMILIES, type TargetFamily } from './families'
import type { Recognised } from './recognise'
import { bodyKey, EXPERT_SLOTS, layerKey, type LayerSlot } from './slots'

/** Parts that a fused one stands for. */
const FUSED: Partial<Record<LayerSlot, readonly LayerSlot[]>> = { queryKeyValue: ['query', 'key', 'value'], gateUp: ['gate', 'up'] }

/** The single parts behind one that may be fused. */
function singles(slots: readonly LayerSlot[]): readonly LayerSlot[] {
  return slots.flatMap((slot) => FUSED[slot] ?? [slot])
}

/** Whether the first layer has a part, by itself or within a fused one. */
export function hasPart(source: Recognised, slot: LayerSlot, parameter: 'weight' | 'bias' = 'weight'): boolean {
  const holders = [slot, ...(Object.keys(FUSED) as LayerSlot[]).filter((fused) => FUSED[fused]?.includes(slot))] // keys of FUSED are slots
  return holders.some((holder) => source.parts.has(layerKey(0, holder, parameter)))
}

const LINEAR: readonly LayerSlot[] = ['query', 'key', 'value', 'attentionOutput', 'gate', 'up', 'down']

/** Whether the biases are those that the family can have. */
function biasesFit(source: Recognised, family: TargetFamily): boolean {
  const present = LINEAR.filter((slot) => hasPart(source, slot, 'bias'))
  const allowed = new Set(family.biases.flatMap(({ parts }) => singles(parts)))
  if (present.some((slot) => !allowed.has(slot))) return false
  return family.biases.every(({ parts, field, filled }) => {
    const group = singles(parts).filter((slot) => hasPart(source, slot))
    const count = group.filter((slot) => present.includes(slot)).length
    return count === group.length || filled || (count === 0 && field !== null)
  })
}

/** Parts that source and family have both or neither; what weighs a shared expert can be made up. */
const PARTS: readonly LayerSlot[] = [
  'query',
  'gate',
  'up',
  'down',
  'queryNorm',
  'keyNorm',
  'attentionNorm',
  'feedForwardNorm',
  'router',
  ...EXPERT_SLOTS,
]

/** Whether every part of the source has a place in the family, and the other way round. */
function fits(source: Recognised, family: TargetFamily): boolean {
  const wanted = new Set(singles(Object.keys(family.layers) as LayerSlot[])) // keys of LayerModules are slots
  const both = (slot: LayerSlot): boolean => wanted.has(slot) === hasPart(source, slot)
  const hasPositions = source.parts.has(bodyKey('positions'))
  const normBias = hasPart(source, 'attentionNorm', 'bias')
  if (hasPart(source, 'sharedWeight') && !wanted.has('sharedWeight')) return false
  return (
    hasPositions === (family.positions === 'learned') &&
    PARTS.every(both) &&
    (family.norm === 'layer' || !normBias) &&
    biasesFit(source, family)
  )
}

/** Families that the source can be mapped onto, the likeliest first. */
export function fittingFamilies(source: Recognised): readonly TargetFamily[] {
  const fitting = TARGET_FAMILIES.filter((family) => fits(source, family))
  return [...fitting.filter(({ automatic }) => automatic), ...fitting.filter(({ automatic }) => !automatic)]
}

// The parts of a decoder, by names of our own: what source namings are read into and target families are written from.

/** Parts outside of the layers. */
export type BodySlot = 'embedding' | 'positions' | 'finalNorm' | 'head'

/** Parts of a mixture of experts, one for each expert. `shared` ones see every token. */
export type ExpertSlot = 'expertGate' | 'expertUp' | 'expertDown' | 'sharedGate' | 'sharedUp' | 'sharedDown'

/** Parts of one layer. `gateUp` and `queryKeyValue` are several matrices in one; `sharedWeight` says how much the shared expert counts. */
export type LayerSlot =
  | ExpertSlot
  | 'router'
  | 'sharedWeight'
  | 'attentionNorm'
  | 'query'
  | 'key'
  | 'value'
  | 'queryKeyValue'
  | 'attentionOutput'
  | 'queryNorm'
  | 'keyNorm'
  | 'feedForwardNorm'
  | 'gate'
  | 'up'
  | 'gateUp'
  | 'down'

/** A parameter of a part. */
export type Parameter = 'weight' | 'bias'

/** The slots that are there for each expert. */
export const EXPERT_SLOTS: readonly ExpertSlot[] = ['expertGate', 'expertUp', 'expertDown', 'sharedGate', 'sharedUp', 'sharedDown']

/** Whether a part is there for each expert. */
export function isExpertSlot(slot: LayerSlot): slot is ExpertSlot {
  return EXPERT_SLOTS.some((each) => each === slot)
}

/** Names of modules by part: relative to the body, or to a layer; {e} stands for the number of an expert. */
export type BodyModules = Partial<Record<BodySlot, readonly string[]>>
export type LayerModules = Partial<Record<LayerSlot, readonly string[]>>

/** Key of a body part in a table of parts. */
export function bodyKey(slot: BodySlot, parameter: Parameter = 'weight'): string {
  return `${slot}.${parameter}`
}

/** Key of a layer's part in a table of parts. */
export function layerKey(layer: number, slot: LayerSlot, parameter: Parameter = 'weight'): string {
  return isExpertSlot(slot) ? expertKey({ layer, expert: 0 }, slot, parameter) : `${layer}.${slot}.${parameter}`
}

/** Key of an expert's part. */
export function expertKey(
  place: { readonly layer: number; readonly expert: number },
  slot: ExpertSlot,
  parameter: Parameter = 'weight',
): string {
  return `${place.layer}.${slot}.${place.expert}.${parameter}`
}

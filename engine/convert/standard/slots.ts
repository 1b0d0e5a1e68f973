// The parts of a decoder, by names of our own: what source namings are read into and target families are written from.

/** Parts outside of the layers. */
export type BodySlot = 'embedding' | 'positions' | 'finalNorm' | 'head'

/** Parts of one layer. `gateUp` and `queryKeyValue` are several matrices in one. */
export type LayerSlot =
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

/** Names of modules by part: relative to the body, or to a layer. */
export type BodyModules = Partial<Record<BodySlot, readonly string[]>>
export type LayerModules = Partial<Record<LayerSlot, readonly string[]>>

/** Key of a body part in a table of parts. */
export function bodyKey(slot: BodySlot, parameter: Parameter = 'weight'): string {
  return `${slot}.${parameter}`
}

/** Key of a layer's part in a table of parts. */
export function layerKey(layer: number, slot: LayerSlot, parameter: Parameter = 'weight'): string {
  return `${layer}.${slot}.${parameter}`
}

// The weights of a graph: finds each tensor in the checkpoint, checks its shape, and places it as external data that points into the checkpoint's own file.
import type { TensorInfo } from '../checkpoint/types'
import type { WeightDtype } from '../config/decoder-config'
import { engineError } from '../errors'
import type { GraphBuilder } from './builder'
import type { Widening } from './widening'

/** One of `count` equal parts that are stacked along a tensor's first axis, as experts are. */
export interface StackedSlice {
  readonly index: number
  readonly count: number
}

/** A tensor that a block needs: its name in the checkpoint and the shape that the config gives it; of a slice, the shape of the part. */
interface WeightSlot {
  readonly tensor: string
  readonly shape: readonly number[]
  readonly slice?: StackedSlice
}

/** How a matrix is stored: torch's Linear as [out, in], GPT-2's Conv1D as [in, out]. */
export type MatrixLayout = 'out-in' | 'in-out'

/** A matrix that a linear block multiplies with; `shape` is the stored one. */
export interface LinearSlot extends WeightSlot {
  readonly layout: MatrixLayout
}

/** A weight matrix as a linear block multiplies with it. Quantized kinds join here; the block that reads it picks the operator. */
type LinearWeight = { readonly kind: 'dense'; readonly value: string }

/** A lookup table [rows, columns] in the dtype it is stored in; rows are cast after the lookup, so that the table is never copied. */
interface TableWeight {
  readonly value: string
  readonly dtype: WeightDtype
}

/** Hands out graph values for checkpoint tensors. One tensor asked for twice is one initializer. */
export interface WeightStore {
  readonly has: (tensor: string) => boolean
  /** `after` is the value that the weight is multiplied with: one that is widened in every run is not widened before that value is there. */
  readonly linear: (slot: LinearSlot, after: string) => LinearWeight
  readonly table: (slot: WeightSlot) => TableWeight
  /** An F32 value: norm weights and biases. */
  readonly vector: (slot: WeightSlot) => string
  /** What was placed so far, in bytes as stored. */
  readonly placedBytes: () => number
  /** Tensors of the checkpoint that no block asked for, without those that the family is known to leave over. */
  readonly unexpected: () => readonly string[]
}

function storedDtype(tensor: TensorInfo): WeightDtype {
  if (tensor.dtype === 'F32' || tensor.dtype === 'F16' || tensor.dtype === 'BF16') return tensor.dtype
  throw engineError('graph/weight-dtype', { tensor: tensor.name, found: tensor.dtype, allowed: ['F32', 'F16', 'BF16'] })
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}

/**
 * Adds the widening of one weight in every run, held back until `after` is computed: ONNX Runtime would otherwise run all such casts first and hold
 * every layer's F32 copy at once. The Reshape changes nothing but the order.
 *
 *     after ── Shape ── Sub(itself) ── Add(shape) ─┐
 *                                   weight ── Reshape ── Cast ── F32
 */
function addLateCast(
  builder: GraphBuilder,
  options: { readonly weight: string; readonly shape: readonly number[]; readonly after: string },
): string {
  const { weight, shape, after } = options
  const path = `/weights/${weight}`
  const size = builder.node({ path: `${path}/Shape`, op: 'Shape', inputs: [after], attributes: { start: { int: 0 }, end: { int: 1 } } })
  const zero = builder.node({ path: `${path}/Sub`, op: 'Sub', inputs: [size, size] })
  const sizes = builder.node({ path: `${path}/Add`, op: 'Add', inputs: [builder.int64(shape), zero] })
  const held = builder.node({ path: `${path}/Reshape`, op: 'Reshape', inputs: [weight, sizes] })
  return builder.node({ path: `${path}/Cast`, op: 'Cast', inputs: [held], attributes: { to: { cast: 'F32' } } })
}

/**
 * Opens the weights of one checkpoint for one graph. `locate` turns a file into a location relative to the external-data folder.
 * The store's readers throw "graph/weight-missing", "graph/weight-shape" and "graph/weight-dtype".
 */
export function createWeightStore(options: {
  readonly builder: GraphBuilder
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Name of the family, for messages. */
  readonly family: string
  /** Parts of names that the family is known to leave over. */
  readonly ignoredTensors: readonly string[]
  readonly locate: (file: string) => string
  readonly widening: Widening
}): WeightStore {
  const { builder, tensors, family, ignoredTensors, locate, widening } = options
  const used = new Set<string>()
  const placed = new Map<string, TableWeight>()
  const casts = new Map<string, string>()
  let sizeBytes = 0

  const place = (slot: WeightSlot): TableWeight => {
    const { slice } = slot
    const tensor = tensors.get(slot.tensor)
    if (tensor === undefined) throw engineError('graph/weight-missing', { tensor: slot.tensor, family })
    const expected = slice === undefined ? slot.shape : [slice.count, ...slot.shape]
    if (!sameShape(tensor.shape, expected)) throw engineError('graph/weight-shape', { tensor: slot.tensor, found: tensor.shape, expected })
    const name = slice === undefined ? slot.tensor : `${slot.tensor}[${slice.index}]`
    const known = placed.get(name)
    if (known !== undefined) return known
    const dtype = storedDtype(tensor)
    if (tensor.storage === 'computed') throw engineError('graph/weight-computed', { tensor: slot.tensor, computation: tensor.computation })
    // A part of the first axis is a range of the tensor's own bytes.
    const partBytes = slice === undefined ? tensor.sizeBytes : tensor.sizeBytes / slice.count
    const value = builder.external({
      name,
      dtype,
      shape: slot.shape,
      location: locate(tensor.file),
      offsetBytes: tensor.offsetBytes + (slice?.index ?? 0) * partBytes,
      sizeBytes: partBytes,
    })
    sizeBytes += partBytes
    const weight = { value, dtype }
    placed.set(name, weight)
    used.add(slot.tensor)
    return weight
  }

  const f32 = (slot: WeightSlot, after: string | null): string => {
    const { value, dtype } = place(slot)
    if (dtype === 'F32') return value
    const known = casts.get(value)
    if (known !== undefined) return known
    const cast =
      widening === 'per-run' && after !== null
        ? addLateCast(builder, { weight: value, shape: slot.shape, after })
        : builder.node({ path: `/weights/${value}/Cast`, op: 'Cast', inputs: [value], attributes: { to: { cast: 'F32' } } })
    casts.set(value, cast)
    return cast
  }

  return {
    has: (tensor) => tensors.has(tensor),
    linear: (slot, after) => ({ kind: 'dense', value: f32(slot, after) }),
    table: place,
    vector: (slot) => f32(slot, null),
    placedBytes: () => sizeBytes,
    unexpected: () => [...tensors.keys()].filter((name) => !used.has(name) && !ignoredTensors.some((part) => name.includes(part))),
  }
}

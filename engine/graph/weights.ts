// The weights of a graph: finds each tensor in the checkpoint, checks its shape, and places it as external data that points into the checkpoint's own file.
import type { PlainTensor, TensorInfo } from '../checkpoint/types'
import type { WeightDtype } from '../config/decoder-config'
import { engineError } from '../errors'
import type { PreparedPlacement } from '../prepared/placement'
import type { PlacedEntry, PreparedForm, PreparedRequest } from '../prepared/types'
import { nbitsLayout, type MatrixShape, type NBitsFormat } from '../tensor/nbits/layout'
import type { GraphBuilder } from './builder'
import type { FormatChoice } from './format-override'
import { matrixForm, type BlockForm, type WeightFormatName } from './weight-format'
import type { Widening } from './widening'

/** One of `count` equal parts that are stacked along a tensor's first axis, as experts are. */
export interface StackedSlice {
  readonly index: number
  readonly count: number
}

/** A tensor that a block needs: its name in the checkpoint and the shape that the config gives it; of a slice, the shape of the part. */
export interface WeightSlot {
  readonly tensor: string
  readonly shape: readonly number[]
  readonly slice?: StackedSlice
}

/** How a matrix is stored: torch's Linear as [out, in], GPT-2's Conv1D as [in, out]. */
export type MatrixLayout = 'out-in' | 'in-out'

/** A matrix that a linear block multiplies with; `shape` is the stored one. */
export interface LinearSlot extends WeightSlot {
  readonly layout: MatrixLayout
  /** Never quantized: a router's small errors would choose other experts. */
  readonly exact?: boolean
  readonly isHead?: boolean
}

/** A quantized matrix as MatMulNBits and GatherBlockQuantized read it. */
export interface NBitsWeight {
  readonly kind: 'nbits'
  readonly codes: string
  readonly scales: string
  readonly zeroPoints: string | null
  readonly format: NBitsFormat
  readonly shape: MatrixShape
  /** The columns as the codes have them; null where that is the order of the values that are multiplied with. */
  readonly inputOrder: Int32Array | null
}

/** A weight matrix as a linear block multiplies with it; the block that reads it picks the operator. */
type LinearWeight = { readonly kind: 'dense'; readonly value: string; readonly layout: MatrixLayout } | NBitsWeight

/** A lookup table [rows, columns] in the dtype it is stored in; rows are cast after the lookup, so that the table is never copied. */
interface PlainTable {
  readonly kind: 'plain'
  readonly value: string
  readonly dtype: WeightDtype
}

/** A lookup table: where it lies in its file as it is used, it is never quantized, since only the rows that are looked up are ever read. */
type TableWeight = PlainTable | NBitsWeight

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

/** Tables of no more values than this are small beside any model: F32 does not hurt. */
const SMALL_TABLE_VALUES = 4 * 1024 * 1024

/** Dtypes that a graph takes as they lie in their file. */
function isWeightDtype(dtype: string): dtype is WeightDtype {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16'
}

/** Dtypes whose values can stand for weights. Bytes and integers are codes, which mean nothing without their scales. */
const VALUE_DTYPES: ReadonlySet<string> = new Set(['F32', 'F16', 'BF16', 'F64', 'F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'])

/** Whether a tensor can be mapped as it lies in its file. */
export function isMappable(tensor: TensorInfo): tensor is PlainTensor & { readonly dtype: WeightDtype } {
  return tensor.storage !== 'computed' && isWeightDtype(tensor.dtype)
}

/** A leading axis of one changes no value and no place. */
function withoutLeadingOnes(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((size) => size !== 1)
  return first < 0 ? [] : shape.slice(first)
}

function sameShape(found: readonly number[], expected: readonly number[]): boolean {
  const a = withoutLeadingOnes(found)
  const b = withoutLeadingOnes(expected)
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

/** The slot as the checkpoint stores it: a matrix that lies the other way round than its family has it is asked for that way round. */
export function asStored(slot: LinearSlot, tensor: TensorInfo | undefined): LinearSlot {
  if (tensor?.storage !== 'computed' || tensor.swapped !== true) return slot
  const [last = 1, secondLast = 1, ...others] = slot.shape.toReversed()
  return { ...slot, shape: [secondLast, last, ...others].toReversed(), layout: slot.layout === 'in-out' ? 'out-in' : 'in-out' }
}

/** Rows and columns that a graph multiplies with, of a matrix as it is stored. Other shapes count as one row after another. */
export function matrixShape(shape: readonly number[], layout: MatrixLayout): MatrixShape {
  const last = shape.at(-1) ?? 1
  const others = shape.slice(0, -1).reduce((product, size) => product * size, 1)
  return layout === 'out-in' ? { rows: others, columns: last } : { rows: last, columns: others }
}

/** A slot, the tensor that fills it, and the formats of tensors by name. */
interface FormQuestion<S extends WeightSlot> {
  readonly slot: S
  readonly tensor: TensorInfo
  readonly formatOf: (tensor: string) => WeightFormatName
  /** What the names of the first layer's tensors begin with. */
  readonly firstLayer: string
}

/** What becomes of a matrix; null keeps its values. */
export function linearForm({ slot, tensor, formatOf, firstLayer }: FormQuestion<LinearSlot>): BlockForm | null {
  if (slot.exact === true) return null
  const { shape, layout, isHead } = slot
  const place = isHead === true ? 'head' : slot.tensor.startsWith(firstLayer) ? 'first-layer' : 'inside'
  return matrixForm(formatOf(slot.tensor), { tensor, shape: matrixShape(shape, layout), place, layout })
}

/** What becomes of a lookup table; null keeps its values. GatherBlockQuantized has no filled-up rows. */
export function tableForm({ slot, tensor, formatOf }: Omit<FormQuestion<WeightSlot>, 'firstLayer'>): BlockForm | null {
  const columns = slot.shape.at(-1) ?? 0
  if (isMappable(tensor) || columns * (slot.shape[0] ?? 0) <= SMALL_TABLE_VALUES) return null
  const form = matrixForm(formatOf(slot.tensor), { tensor, shape: matrixShape(slot.shape, 'out-in'), place: 'head', layout: 'out-in' })
  return form === null || columns % form.format.blockSize !== 0 ? null : form
}

/** What the prepared file is asked for where a slot's values have to be made; `name` is the tensor's, or that of a part of it. */
export function preparedRequest(
  slot: WeightSlot,
  as: { readonly name: string; readonly layout: MatrixLayout; readonly form: PreparedForm },
): PreparedRequest {
  const { name, layout, form } = as
  const shape = matrixShape(slot.shape, layout)
  const offsetElements = (slot.slice?.index ?? 0) * shape.rows * shape.columns
  const variant = form.kind === 'f32' ? form.kind : `${form.kind}${form.format.bits}b${form.format.blockSize}`
  return { name: `${name}:${variant}`, source: { tensor: slot.tensor, shape, layout, offsetElements }, form }
}

/** A tensor's name, or that of one of its parts. */
export function slotName({ tensor, slice }: WeightSlot): string {
  return slice === undefined ? tensor : `${tensor}[${slice.index}]`
}

/**
 * Opens the weights of one checkpoint for one graph. `locate` turns a file into a location relative to the external-data folder. What cannot be mapped from the
 * checkpoint, or is to be quantized, gets a place in the prepared file. The store's readers throw "graph/weight-missing" and "graph/weight-shape".
 */
export function createWeightStore(options: {
  readonly builder: GraphBuilder
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Name of the family, for messages. */
  readonly family: string
  /** Parts of names that the family is known to leave over. */
  readonly ignoredTensors: readonly string[]
  /** What the names of the first layer's tensors begin with. */
  readonly firstLayer: string
  readonly locate: (file: string) => string
  readonly widening: Widening
  readonly formats: FormatChoice
  readonly prepared: { readonly placement: PreparedPlacement; readonly location: string }
}): WeightStore {
  const { builder, tensors, family, ignoredTensors, firstLayer, locate, widening, prepared } = options
  const used = new Set<string>()
  const placed = new Map<string, PlainTable>()
  const quantized = new Map<string, NBitsWeight>()
  const casts = new Map<string, string>()
  let sizeBytes = 0

  const find = (slot: WeightSlot): { readonly tensor: TensorInfo; readonly name: string } => {
    const { slice } = slot
    const tensor = tensors.get(slot.tensor)
    if (tensor === undefined) throw engineError('graph/weight-missing', { tensor: slot.tensor, family })
    const expected = slice === undefined ? slot.shape : [slice.count, ...slot.shape]
    if (!sameShape(tensor.shape, expected)) throw engineError('graph/weight-shape', { tensor: slot.tensor, found: tensor.shape, expected })
    if (!VALUE_DTYPES.has(tensor.dtype))
      throw engineError('graph/weight-dtype', { tensor: slot.tensor, found: tensor.dtype, allowed: [...VALUE_DTYPES] })
    used.add(slot.tensor)
    return { tensor, name: slotName(slot) }
  }

  const prepare = (slot: WeightSlot, layout: MatrixLayout, form: PreparedForm): PlacedEntry =>
    prepared.placement.add(preparedRequest(slot, { name: find(slot).name, layout, form }))

  const place = (slot: WeightSlot): PlainTable => {
    const { tensor, name } = find(slot)
    const known = placed.get(name)
    if (known !== undefined) return known
    const dtype = isMappable(tensor) ? tensor.dtype : 'F32'
    let range: { readonly location: string; readonly offsetBytes: number; readonly sizeBytes: number }
    if (isMappable(tensor)) {
      // A part of the first axis is a range of the tensor's own bytes.
      const partBytes = tensor.sizeBytes / (slot.slice?.count ?? 1)
      const offsetBytes = tensor.offsetBytes + (slot.slice?.index ?? 0) * partBytes
      range = { location: locate(tensor.file), offsetBytes, sizeBytes: partBytes }
    } else {
      // In the order it is stored in: a plain copy, whatever it is used for.
      range = { location: prepared.location, ...prepare(slot, 'out-in', { kind: 'f32' }).codes }
    }
    sizeBytes += range.sizeBytes
    const weight = { kind: 'plain', value: builder.external({ name, dtype, shape: slot.shape, ...range }), dtype } as const
    placed.set(name, weight)
    return weight
  }

  const storedOrder = (slot: WeightSlot): Int32Array | null => {
    const { tensor } = find(slot)
    return tensor.storage === 'computed' ? (tensor.inputOrder ?? null) : null
  }

  const quantize = (
    slot: WeightSlot,
    { layout, form, use }: { readonly layout: MatrixLayout; readonly form: BlockForm; readonly use: 'codes' | 'rows' },
  ): NBitsWeight => {
    const entry = prepare(slot, layout, form)
    const known = quantized.get(`${entry.name}/${use}`)
    if (known !== undefined) return known
    const other = quantized.get(`${entry.name}/${use === 'codes' ? 'rows' : 'codes'}`)
    const { shape } = entry.source
    const { blocksPerRow, codeRowBytes, zeroPointRowBytes } = nbitsLayout(shape, form.format)
    const { location } = prepared
    const part = (name: string, dtype: 'U8' | 'F32', dimensions: readonly number[], range: PlacedEntry['scales']): string | null => {
      if (range === null) return null
      if (other === undefined) sizeBytes += range.sizeBytes
      return builder.external({ name: `${entry.name}/${name}`, dtype, shape: dimensions, location, ...range })
    }
    const weight: NBitsWeight = {
      kind: 'nbits',
      // A table's rows and a matrix's blocks are the same bytes.
      codes:
        part(
          use,
          'U8',
          use === 'rows' ? [shape.rows, codeRowBytes] : [shape.rows, blocksPerRow, codeRowBytes / blocksPerRow],
          entry.codes,
        ) ?? '',
      scales: other?.scales ?? part('scales', 'F32', [shape.rows, blocksPerRow], entry.scales) ?? '',
      zeroPoints: other === undefined ? part('zero_points', 'U8', [shape.rows, zeroPointRowBytes], entry.zeroPoints) : other.zeroPoints,
      format: form.format,
      shape,
      inputOrder: form.kind === 'stored' ? storedOrder(slot) : null,
    }
    quantized.set(`${entry.name}/${use}`, weight)
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
    linear: (wanted, after) => {
      const slot = asStored(wanted, tensors.get(wanted.tensor))
      const { layout } = slot
      const form = linearForm({ slot, tensor: find(slot).tensor, formatOf: options.formats.of, firstLayer })
      return form === null ? { kind: 'dense', value: f32(slot, after), layout } : quantize(slot, { layout, form, use: 'codes' })
    },
    table: (slot) => {
      const form = tableForm({ slot, tensor: find(slot).tensor, formatOf: options.formats.of })
      return form === null ? place(slot) : quantize(slot, { layout: 'out-in', form, use: 'rows' })
    },
    vector: (slot) => f32(slot, null),
    placedBytes: () => sizeBytes,
    unexpected: () => [...tensors.keys()].filter((name) => !used.has(name) && !ignoredTensors.some((part) => name.includes(part))),
  }
}

// What each block's weights take in memory, in a prepared file and in traffic per generated token, in a given weight format.
import type { TensorInfo } from '../checkpoint/types'
import type { DecoderConfig } from '../config/decoder-config'
import { engineError } from '../errors'
import { chooseByName, type FormatOverride } from '../graph/format-override'
import { usedWeights, type StageOfDecoder, type UsedWeight } from '../graph/used-weights'
import type { BlockForm, WeightFormatName } from '../graph/weight-format'
import {
  asStored,
  isMappable,
  linearForm,
  matrixShape,
  preparedRequest,
  slotName,
  tableForm,
  type LinearSlot,
  type WeightSlot,
} from '../graph/weights'
import type { Widening } from '../graph/widening'
import { createPlacement, HEADER_BYTES, type PreparedPlacement } from '../prepared/placement'
import { nbitsLayout } from '../tensor/nbits/layout'
import type { WeightKernel } from './types'

/** What the planner needs to know of a tensor. Where it lies does not matter, whether it lies there as it is used does. */
export type TensorSize = Pick<TensorInfo, 'name' | 'dtype' | 'shape' | 'sizeBytes'> & Partial<TensorInfo>

/** A decoder's weights in one format. Bytes throughout. */
export interface WeightMap {
  readonly embeddingBytes: number
  readonly layerBytes: readonly number[]
  /** What the head needs beside the embedding when it is tied. */
  readonly headBytes: number
  readonly tied: boolean
  /** The dtype that most bytes are stored in, 'F32' when there are none. */
  readonly dtype: string
  /** The largest matrix as F32: what widening per run holds beside the weights. */
  readonly largestWidenedBytes: number
  /** Size of the prepared file, 0 where none is needed. */
  readonly preparedBytes: number
  /** What one generated token reads, by the way it is multiplied. Of experts only those that a token chooses. */
  readonly readBytes: Readonly<Record<WeightKernel, number>>
}

/** What MatMulNBits keeps for a block beside its codes once it has packed them: a scale and a sum, whatever the file holds. */
const PACKED_BLOCK_BYTES = 8

interface MapOptions {
  readonly config: DecoderConfig
  readonly tensors: Iterable<TensorSize>
  readonly widening: Widening
  readonly format: WeightFormatName
  readonly overrides?: readonly FormatOverride[]
}

/** One weight at its use: what it takes, where, and how it is multiplied. `kernel` is null for what is not multiplied with. */
interface Sized {
  readonly residentBytes: number
  readonly kernel: WeightKernel | null
  readonly readBytes: number
}

/** A tensor as a graph takes it; a place in a file is made up where there is none. */
function withPlace(tensor: TensorSize): TensorInfo {
  const { name, dtype, shape, sizeBytes, file = '' } = tensor
  const header = { name, dtype, shape, sizeBytes, file }
  if (tensor.storage !== 'computed') return { ...header, offsetBytes: 0 }
  const { computation = 'converted', quantized, swapped } = tensor
  return { ...header, storage: 'computed', computation, ...(quantized && { quantized }), ...(swapped && { swapped }) }
}

/** Bytes of one slot's values at 4 each. */
function f32Bytes({ shape }: WeightSlot): number {
  return shape.reduce((product, size) => product * size, 4)
}

/** Bytes of a matrix of blocks: as its file has them, or once packed for multiplying. */
function blockBytes(
  slot: WeightSlot,
  layout: 'out-in' | 'in-out',
  { form, packed }: { readonly form: BlockForm; readonly packed: boolean },
): number {
  const shape = matrixShape(slot.shape, layout)
  const { blocksPerRow, codeBytes, scaleBytes, zeroPointBytes } = nbitsLayout(shape, form.format)
  return packed ? codeBytes + shape.rows * blocksPerRow * PACKED_BLOCK_BYTES : codeBytes + scaleBytes + zeroPointBytes
}

/** Bytes of one slot as its tensor stores them. */
function storedBytes(slot: WeightSlot, tensor: TensorInfo): number {
  return isMappable(tensor) ? tensor.sizeBytes / (slot.slice?.count ?? 1) : f32Bytes(slot)
}

/** The share of a matrix that one token multiplies with: experts that it did not choose are not read. */
function readShare(config: DecoderConfig, tensor: string): number {
  const { experts } = config
  const names = config.names.experts
  if (experts === null || names === undefined) return 1
  const modules = [names.gate, names.up, names.gateUp, names.down].filter((name) => name !== undefined && name !== null)
  const fits = modules.some((module) => {
    const pattern = module.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll('{e}', '\\d+')
    return new RegExp(`\\.${pattern}(?:\\.|$)`).test(tensor)
  })
  return fits ? Math.min(1, experts.perToken / experts.count) : 1
}

/**
 * Sizes a decoder's weights by the graph that would be built; tensors that it does not ask for are not counted.
 * Throws "graph/weight-missing", "graph/format-override-unmatched".
 */
export function mapWeights(options: MapOptions): WeightMap {
  const { config, widening, format, overrides = [] } = options
  const tensors = new Map([...options.tensors].map((tensor) => [tensor.name, withPlace(tensor)]))
  const { used, firstLayer } = usedWeights({ config, tensorNames: new Set(tensors.keys()) })
  const formats = chooseByName(format, overrides)
  const placement = createPlacement()
  const find = (slot: WeightSlot): TensorInfo => {
    const tensor = tensors.get(slot.tensor)
    if (tensor === undefined) throw engineError('graph/weight-missing', { tensor: slot.tensor, family: config.family })
    return tensor
  }
  // Bytes that are mapped as they are, and are held once however often they are used.
  const shared = new Set(
    used.flatMap((each) =>
      each.use === 'matrix' && isMappedMatrix(each, find(each.slot), { formatOf: formats.of, firstLayer, widening })
        ? [slotName(each.slot)]
        : [],
    ),
  )
  const counted = new Set<string>()
  const totals = { embedding: 0, head: 0, layers: new Array<number>(config.numHiddenLayers).fill(0), largestWidenedBytes: 0 }
  const readBytes: Record<WeightKernel, number> = { f32: 0, widened: 0, q8: 0, q4: 0 }
  const bytesByDtype = new Map<string, number>()
  const tables = new Set<string>()
  let tied = false
  for (const each of used) {
    const tensor = find(each.slot)
    const name = slotName(each.slot)
    if (each.use === 'table') tables.add(name)
    if (each.use === 'matrix' && each.slot.isHead === true) tied = tables.has(name)
    const sized = sizeOf(each, { tensor, formatOf: formats.of, firstLayer, widening, placement })
    if (sized.kernel !== null) readBytes[sized.kernel] += sized.readBytes * readShare(config, each.slot.tensor)
    const key = shared.has(name) ? name : `${name}/${each.use}`
    if (counted.has(key)) continue
    counted.add(key)
    add(totals, each.stage, sized.residentBytes)
    totals.largestWidenedBytes = Math.max(totals.largestWidenedBytes, f32Bytes(each.slot))
    if (!counted.has(`${name}/dtype`))
      bytesByDtype.set(tensor.dtype, (bytesByDtype.get(tensor.dtype) ?? 0) + storedBytes(each.slot, tensor))
    counted.add(`${name}/dtype`)
  }
  formats.checkUsed()
  const [largest] = [...bytesByDtype].sort(([, a], [, b]) => b - a)
  const endBytes = placement.endBytes()
  return {
    embeddingBytes: totals.embedding,
    layerBytes: totals.layers,
    headBytes: totals.head,
    tied,
    dtype: largest?.[0] ?? 'F32',
    largestWidenedBytes: totals.largestWidenedBytes,
    preparedBytes: endBytes === HEADER_BYTES ? 0 : endBytes,
    readBytes,
  }
}

function add(totals: { embedding: number; head: number; layers: number[] }, stage: StageOfDecoder, bytes: number): void {
  if (typeof stage === 'number') totals.layers[stage] = (totals.layers[stage] ?? 0) + bytes
  else totals[stage] += bytes
}

function isMappedMatrix(
  { slot }: Extract<UsedWeight, { use: 'matrix' }>,
  tensor: TensorInfo,
  { formatOf, firstLayer, widening }: Pick<SizeOptions, 'formatOf' | 'firstLayer' | 'widening'>,
): boolean {
  if (linearForm({ slot: asStored(slot, tensor), tensor, formatOf, firstLayer }) !== null) return false
  return !isMappable(tensor) || tensor.dtype === 'F32' || widening === 'per-run'
}

interface SizeOptions {
  readonly tensor: TensorInfo
  readonly formatOf: (tensor: string) => WeightFormatName
  readonly firstLayer: string
  readonly widening: Widening
  readonly placement: PreparedPlacement
}

/** Sizes one use, and places what has to be prepared for it, in the order in which the graph does. */
function sizeOf(used: UsedWeight, options: SizeOptions): Sized {
  if (used.use === 'matrix') return sizeMatrix(used.slot, options)
  const { tensor, widening } = options
  const { use, slot } = used
  const form = use === 'table' ? tableForm({ slot, ...options }) : null
  place(slot, { ...options, layout: 'out-in', form })
  // Looked-up rows bring large parts of the file with them: a table that was used for a while is all in memory.
  const bytes = form === null ? storedBytes(slot, tensor) : blockBytes(slot, 'out-in', { form, packed: false })
  const isCopied = use === 'vector' && isMappable(tensor) && widening === 'at-load'
  return { residentBytes: isCopied ? f32Bytes(slot) : bytes, kernel: null, readBytes: 0 }
}

function sizeMatrix(wanted: LinearSlot, options: SizeOptions): Sized {
  const { tensor, widening } = options
  const slot = asStored(wanted, tensor)
  const form = linearForm({ slot, ...options })
  place(slot, { ...options, layout: slot.layout, form })
  if (form !== null) {
    const bytes = blockBytes(slot, slot.layout, { form, packed: true })
    return { residentBytes: bytes, kernel: form.format.bits === 8 ? 'q8' : 'q4', readBytes: bytes }
  }
  const stored = storedBytes(slot, tensor)
  if (!isMappable(tensor) || tensor.dtype === 'F32') return { residentBytes: stored, kernel: 'f32', readBytes: stored }
  const copied = f32Bytes(slot)
  if (widening === 'at-load') return { residentBytes: copied, kernel: 'f32', readBytes: copied }
  return { residentBytes: stored, kernel: 'widened', readBytes: stored }
}

/** Asks the prepared file for what the checkpoint does not hold as it is used; plain values are written out in the order they are stored in. */
function place(
  slot: WeightSlot,
  { tensor, placement, layout, form }: SizeOptions & { readonly layout: 'out-in' | 'in-out'; readonly form: BlockForm | null },
): void {
  const name = slotName(slot)
  if (form !== null) placement.add(preparedRequest(slot, { name, layout, form }))
  else if (!isMappable(tensor)) placement.add(preparedRequest(slot, { name, layout: 'out-in', form: { kind: 'f32' } }))
}

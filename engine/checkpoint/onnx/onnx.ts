// Reader of ONNX initializers, inline and in external files. Follows onnx.proto3 (ONNX 1.20, IR 12).
import { openRandomAccessFile, type RandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import { DTYPE_BITS, type Dtype } from '../../tensor/dtype'
import { countElements, tensorSizeBytes } from '../../tensor/shape'
import { createCheckpoint, type ComputeRange } from '../tensor-files'
import type { Checkpoint, TensorComputation, TensorInfo } from '../types'
import { createWholeTensors, type MakeTensor } from '../whole-tensor'
import { createExternalFiles } from './external-data'
import { createProtoFile, type ProtoFile } from './proto-ranges'
import { readEntry, readTensorProto, readText, TYPED_FIELD, type TensorProto } from './tensor-proto'
import { joinFixed, joinVarints, unpackNibbles } from './typed-values'
import { countSome, note } from '../../notes'

/** Initializers of one graph; quantized exports have three for every weight. */
const MAX_INITIALIZERS = 1_000_000
/** Names of a graph's metadata are few; texts together stay small. */
const MAX_METADATA_BYTES = 4 * 1024 * 1024

/** How values of a DataType number are stored and handed out. */
interface ElementType {
  readonly dtype: Dtype
  readonly field: number
  /** Two values in a byte, handed out as one byte each. */
  readonly nibbles?: 'signed' | 'unsigned'
}

const { float, int32, int64, double, uint64 } = TYPED_FIELD

/** DataType numbers (TensorProto.DataType). */
const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [1, { dtype: 'F32', field: float }],
  [2, { dtype: 'U8', field: int32 }],
  [3, { dtype: 'I8', field: int32 }],
  [4, { dtype: 'U16', field: int32 }],
  [5, { dtype: 'I16', field: int32 }],
  [6, { dtype: 'I32', field: int32 }],
  [7, { dtype: 'I64', field: int64 }],
  [9, { dtype: 'BOOL', field: int32 }],
  [10, { dtype: 'F16', field: int32 }],
  [11, { dtype: 'F64', field: double }],
  [12, { dtype: 'U32', field: uint64 }],
  [13, { dtype: 'U64', field: uint64 }],
  [14, { dtype: 'C64', field: float }],
  [16, { dtype: 'BF16', field: int32 }],
  [17, { dtype: 'F8_E4M3', field: int32 }],
  [18, { dtype: 'F8_E4M3FNUZ', field: int32 }],
  [19, { dtype: 'F8_E5M2', field: int32 }],
  [20, { dtype: 'F8_E5M2FNUZ', field: int32 }],
  [21, { dtype: 'U8', field: int32, nibbles: 'unsigned' }],
  [22, { dtype: 'I8', field: int32, nibbles: 'signed' }],
  [24, { dtype: 'F8_E8M0', field: int32 }],
])

const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [0, 'undefined'],
  [8, 'string'],
  [15, 'complex128'],
  [23, 'float4e2m1'],
  [25, 'uint2'],
  [26, 'int2'],
])

/** An initializer whose type and shape were checked. `storedBytes` is what raw or external data must have. */
interface Initializer extends ElementType {
  readonly name: string
  readonly shape: readonly number[]
  readonly elements: number
  readonly sizeBytes: number
  readonly storedBytes: number
}

/** Bytes of an initializer as they lie in a file. */
interface StoredRange {
  readonly path: string
  readonly fileSizeBytes: number
  readonly offsetBytes: number
}

function checkShape(proto: ProtoFile, tensor: TensorProto, type: ElementType): Initializer {
  const { name } = tensor
  const shape = tensor.dims.map((size) => {
    if (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) throw proto.malformed(0, `tensor ${name} has the dimension ${size}`)
    return Number(size)
  })
  const elements = countElements(shape)
  const sizeBytes = tensorSizeBytes(type.dtype, shape)
  if (elements === null || sizeBytes === null)
    throw engineError('checkpoint/shape-overflow', { path: proto.file.path, tensor: name, shape })
  return { ...type, name, shape, elements, sizeBytes, storedBytes: type.nibbles ? Math.ceil(elements / 2) : sizeBytes }
}

function checkStored(path: string, tensor: Initializer, foundBytes: number): void {
  const { name, dtype, shape, storedBytes } = tensor
  if (foundBytes !== storedBytes)
    throw engineError('checkpoint/size-mismatch', { path, tensor: name, dtype, shape, neededBytes: storedBytes, foundBytes })
}

function readNumber(proto: ProtoFile, tensor: TensorProto, key: string): number | null {
  const text = tensor.external?.get(key)
  if (text === undefined) return null
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN
  if (!Number.isSafeInteger(value)) throw proto.malformed(0, `tensor ${tensor.name} has the external ${key} "${text.slice(0, 40)}"`)
  return value
}

async function locateExternal(
  proto: ProtoFile,
  tensor: { readonly stored: TensorProto; readonly checked: Initializer },
  files: ReturnType<typeof createExternalFiles>,
): Promise<StoredRange> {
  const { stored, checked } = tensor
  const file = await files.get(stored.external?.get('location') ?? '')
  const offsetBytes = readNumber(proto, stored, 'offset') ?? 0
  const length = readNumber(proto, stored, 'length')
  if (length !== null) checkStored(proto.file.path, checked, length)
  const endBytes = offsetBytes + checked.storedBytes
  if (endBytes > file.sizeBytes)
    throw engineError('checkpoint/truncated-file', { path: file.path, tensor: checked.name, endBytes, fileSizeBytes: file.sizeBytes })
  return { path: file.path, fileSizeBytes: file.sizeBytes, offsetBytes }
}

/** Makes the bytes of values in typed fields; the count of varints is only known when they are read. */
function makeTyped(path: string, stored: TensorProto, tensor: Initializer): MakeTensor {
  const runs = stored.typed.get(tensor.field) ?? []
  const isFixed = tensor.field === float || tensor.field === double
  return async ({ open, signal }) => {
    const file: RandomAccessFile = await open(path)
    if (isFixed) return joinFixed(file, runs, tensor.sizeBytes, signal)
    const elementBytes = tensor.nibbles ? 1 : DTYPE_BITS[tensor.dtype] / 8
    const bytes = await joinVarints(file, runs, { sizeBytes: tensor.storedBytes, elementBytes, ...(signal && { signal }) })
    if (!bytes)
      throw engineError('checkpoint/onnx-malformed', {
        path,
        offsetBytes: 0,
        reason: `tensor ${tensor.name} does not have as many values as its shape`,
      })
    return tensor.nibbles ? unpackNibbles(bytes, { count: tensor.elements, signed: tensor.nibbles === 'signed' }) : bytes
  }
}

/** A cheap check before memory is taken: every value takes at least a byte, a float four or eight. */
function checkTyped(path: string, stored: TensorProto, tensor: Initializer): void {
  const runs = stored.typed.get(tensor.field) ?? []
  const foundBytes = runs.reduce((sum, run) => sum + (run.kind === 'varint' ? 1 : run.sizeBytes), 0)
  const isFixed = tensor.field === float || tensor.field === double
  const values = tensor.nibbles ? tensor.storedBytes : tensor.elements
  if (isFixed ? foundBytes !== tensor.sizeBytes : foundBytes < values)
    checkStored(path, tensor, isFixed ? foundBytes : Math.min(foundBytes, tensor.storedBytes - 1))
}

interface Content {
  readonly tensors: Map<string, TensorInfo>
  readonly computed: Map<string, ComputeRange>
  readonly metadata: Map<string, string>
  readonly leftOut: Map<string, string[]>
  nibbles: number
}

async function addInitializer(
  proto: ProtoFile,
  stored: TensorProto,
  context: {
    readonly content: Content
    readonly files: ReturnType<typeof createExternalFiles>
    readonly wholeTensor: ReturnType<typeof createWholeTensors>
  },
): Promise<void> {
  const { content, files, wholeTensor } = context
  const { name } = stored
  if (content.tensors.has(name)) throw proto.malformed(0, `two initializers are called "${name}"`)
  const type = ELEMENT_TYPES.get(stored.dataType)
  if (!type) {
    const kind = OTHER_TYPES.get(stored.dataType) ?? String(stored.dataType)
    const others = content.leftOut.get(kind)
    if (others) others.push(name)
    else content.leftOut.set(kind, [name])
    return
  }
  const { path } = proto.file
  const checked = checkShape(proto, stored, type)
  const { dtype, shape, sizeBytes } = checked
  const addComputed = (file: string, computation: TensorComputation, make: MakeTensor): void => {
    content.tensors.set(name, { name, dtype, shape, file, sizeBytes, storage: 'computed', computation })
    content.computed.set(name, wholeTensor(sizeBytes, make))
  }
  if (checked.nibbles) content.nibbles++
  let range: StoredRange | null = null
  if (stored.external) range = await locateExternal(proto, { stored, checked }, files)
  else if (stored.raw) {
    checkStored(path, checked, stored.raw.sizeBytes)
    range = { path, fileSizeBytes: proto.file.sizeBytes, offsetBytes: stored.raw.offsetBytes }
  }
  if (!range) {
    checkTyped(path, stored, checked)
    addComputed(path, 'converted', makeTyped(path, stored, checked))
    return
  }
  const { path: file, offsetBytes } = range
  if (!checked.nibbles) {
    content.tensors.set(name, { name, dtype, shape, file, offsetBytes, sizeBytes })
    return
  }
  const signed = checked.nibbles === 'signed'
  addComputed(file, 'converted', async ({ open, signal }) =>
    unpackNibbles(await (await open(file)).read({ offsetBytes, sizeBytes: checked.storedBytes, ...(signal && { signal }) }), {
      count: checked.elements,
      signed,
    }),
  )
}

/** ModelProto: what wrote the model, its own metadata, and the graph. */
async function readModel(proto: ProtoFile, content: Content): Promise<{ readonly offsetBytes: number; readonly sizeBytes: number }> {
  let graph: { readonly offsetBytes: number; readonly sizeBytes: number } | null = null
  let metadataBytes = 0
  for await (const field of proto.fields({ offsetBytes: 0, sizeBytes: proto.file.sizeBytes })) {
    if (field.kind !== 'bytes') continue
    if (field.number === 7) graph = field
    if (field.number === 2) content.metadata.set('producer_name', await readText(proto, field))
    if (field.number === 3) content.metadata.set('producer_version', await readText(proto, field))
    if (field.number !== 14) continue
    metadataBytes += field.sizeBytes
    if (metadataBytes > MAX_METADATA_BYTES)
      throw proto.malformed(field.offsetBytes, `its metadata has more than ${MAX_METADATA_BYTES} bytes`)
    const [key, value] = await readEntry(proto, field)
    content.metadata.set(key, value)
  }
  if (!graph) throw proto.malformed(0, 'there is no graph')
  return graph
}

/**
 * Opens the initializers of an ONNX model; 4-bit integers are handed out as bytes. Values inside nodes and subgraphs are no initializers.
 * Throws "checkpoint/onnx-malformed", "checkpoint/unsafe-reference", "checkpoint/hard-linked-reference", "checkpoint/missing-shard", "checkpoint/size-mismatch", "checkpoint/truncated-file", "checkpoint/shape-overflow", "checkpoint/too-many-tensors".
 */
export async function openOnnx(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<Checkpoint> {
  using file = await openRandomAccessFile(path)
  const proto = createProtoFile(file, options.signal)
  const content: Content = { tensors: new Map(), computed: new Map(), metadata: new Map(), leftOut: new Map(), nibbles: 0 }
  const context = { content, files: createExternalFiles(path), wholeTensor: createWholeTensors() }
  const graph = await readModel(proto, content)
  let count = 0
  for await (const field of proto.fields(graph)) {
    if (field.number !== 5 || field.kind !== 'bytes') continue
    if (++count > MAX_INITIALIZERS) throw engineError('checkpoint/too-many-tensors', { path: file.path, count, max: MAX_INITIALIZERS })
    await addInitializer(proto, await readTensorProto(proto, field), context)
  }
  const nibbleNote = content.nibbles > 0 ? [note('checkpoint/nibbles-as-bytes', { count: content.nibbles })] : []
  const notes = [...content.leftOut].map(([type, names]) => note('checkpoint/left-out-type', { ...countSome(names), type }))
  return createCheckpoint({
    format: 'onnx',
    files: [{ path: file.path, sizeBytes: file.sizeBytes }, ...context.files.all()],
    tensors: content.tensors,
    computed: content.computed,
    metadata: Object.fromEntries(content.metadata),
    notes: [...nibbleNote, ...notes],
  })
}

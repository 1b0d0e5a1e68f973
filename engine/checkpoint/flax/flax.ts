// Reader of Flax files (flax_model.msgpack): nested maps of arrays, walked without loading them. Follows flax/serialization.py (0.10).
import { openRandomAccessFile, type RandomAccessFile } from '../../bytes/random-access-file'
import { engineError, type EngineError } from '../../errors'
import { tensorSizeBytes } from '../../tensor/shape'
import { createCheckpoint, type ComputeRange } from '../tensor-files'
import type { Checkpoint, TensorInfo } from '../types'
import { createWholeTensors, type MakeTensor } from '../whole-tensor'
import { readArray, toDimension, type FlaxArray } from './array'
import { createForwardReader, type ForwardReader } from './forward-reader'
import { readValue, type MsgpackValue } from './msgpack'
import { countSome, note } from '../../notes'

/** Maps in maps: module trees are some ten levels deep, optimizer states a few more. */
export const MAX_DEPTH = 64
/** Values of all kinds; a train state of 100,000 arrays with chunks has a tenth of this. */
const MAX_VALUES = 2_000_000
/** A name is a path of modules. */
export const MAX_NAME_LENGTH = 4096

/** Flax splits arrays above 1 GiB; this key marks the map that holds the parts. */
const CHUNKED_KEY = '__msgpack_chunked_array__'

/** What a node of the tree is: a map of nodes, or a leaf. */
type Node =
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Node> }
  | { readonly kind: 'array'; readonly array: FlaxArray }
  | { readonly kind: 'leaf'; readonly text: string | null; readonly value: unknown }

interface Walk {
  readonly path: string
  readonly reader: ForwardReader
  readonly malformed: (reason: string) => EngineError
  values: number
}

function keyText(key: MsgpackValue): string | null {
  if (key.kind === 'text') return key.value
  return key.kind === 'scalar' && typeof key.value === 'number' ? String(key.value) : null
}

async function readExtension(walk: Walk, name: string, value: Extract<MsgpackValue, { kind: 'extension' }>): Promise<Node> {
  const { reader } = walk
  const endBytes = value.offsetBytes + value.sizeBytes
  if (value.sizeBytes > reader.remainingBytes())
    throw walk.malformed(`${name} has ${value.sizeBytes} bytes, but only ${reader.remainingBytes()} remain`)
  if (value.type === 1 || value.type === 3) {
    const array = await readArray(reader, { path: walk.path, name, endBytes })
    return { kind: 'array', array }
  }
  reader.skip(value.sizeBytes)
  return { kind: 'leaf', text: null, value: null }
}

async function readNode(walk: Walk, name: string, depth: number): Promise<Node> {
  const { reader, path } = walk
  if (depth > MAX_DEPTH) throw engineError('checkpoint/flax-too-deep', { path, maxDepth: MAX_DEPTH })
  if (++walk.values > MAX_VALUES) throw engineError('checkpoint/too-many-tensors', { path, count: walk.values, max: MAX_VALUES })
  if (name.length > MAX_NAME_LENGTH) throw walk.malformed(`a name is longer than ${MAX_NAME_LENGTH} characters`)
  const value = await readValue(reader, path)
  switch (value.kind) {
    case 'extension':
      return readExtension(walk, name, value)
    case 'scalar':
      return { kind: 'leaf', text: value.value === null ? null : String(value.value), value: value.value }
    case 'text':
      return { kind: 'leaf', text: value.value, value: value.value }
    case 'bytes':
      reader.skip(value.sizeBytes)
      return { kind: 'leaf', text: null, value: null }
    default: {
      const entries = new Map<string, Node>()
      for (let index = 0; index < value.length; index++) {
        const key = value.kind === 'map' ? keyText(await readValue(reader, path)) : String(index)
        if (key === null) throw walk.malformed(`a key in ${name === '' ? 'the outermost map' : name} is not a text`)
        if (entries.has(key)) throw walk.malformed(`the key "${key}" is there twice`)
        entries.set(key, await readNode(walk, name === '' ? key : `${name}.${key}`, depth + 1))
      }
      return { kind: 'map', entries }
    }
  }
}

/** Values of a map with the keys "0", "1", ... in that order. */
function listOf(node: Node | undefined): readonly Node[] | null {
  if (node?.kind !== 'map') return null
  const values: Node[] = []
  for (let index = 0; index < node.entries.size; index++) {
    const value = node.entries.get(String(index))
    if (!value) return null
    values.push(value)
  }
  return values
}

interface Content {
  readonly file: RandomAccessFile
  readonly walk: Walk
  readonly tensors: Map<string, TensorInfo>
  readonly computed: Map<string, ComputeRange>
  readonly metadata: Map<string, string>
  readonly leftOut: Map<string, string[]>
  readonly wholeTensor: ReturnType<typeof createWholeTensors>
}

/** Left out for being no array, where others are left out for their type. */
const NO_ARRAY = 'no array'

function addLeftOut(content: Content, what: string, name: string): void {
  const names = content.leftOut.get(what)
  if (names) names.push(name)
  else content.leftOut.set(what, [name])
}

function addTensor(content: Content, tensor: TensorInfo): void {
  if (content.tensors.has(tensor.name)) throw content.walk.malformed(`two arrays are called ${tensor.name}`)
  content.tensors.set(tensor.name, tensor)
}

/** The parts are flat slices in order, so the whole is their bytes one after the other. */
function addChunked(content: Content, name: string, entries: ReadonlyMap<string, Node>): void {
  const { path } = content.file
  const shape = listOf(entries.get('shape'))?.map((node) => (node.kind === 'leaf' ? toDimension(node.value) : null))
  const chunks = listOf(entries.get('chunks'))?.map((node) => (node.kind === 'array' ? node.array : null))
  if (!shape || !chunks || shape.length > 64) throw content.walk.malformed(`the parts of ${name} are not described`)
  const dimensions = shape.filter((size) => size !== null)
  const parts = chunks.filter((chunk) => chunk !== null)
  const dtype = parts[0]?.dtype
  if (dimensions.length !== shape.length || parts.length !== chunks.length || parts.some((part) => part.dtype !== dtype))
    throw content.walk.malformed(`the parts of ${name} do not fit together`)
  if (!dtype) {
    addLeftOut(content, parts[0]?.dtypeName ?? 'unknown', name)
    return
  }
  const neededBytes = tensorSizeBytes(dtype, dimensions)
  const foundBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0)
  if (neededBytes === null) throw engineError('checkpoint/shape-overflow', { path, tensor: name, shape: dimensions })
  if (neededBytes !== foundBytes)
    throw engineError('checkpoint/size-mismatch', { path, tensor: name, dtype, shape: dimensions, neededBytes, foundBytes })
  const make: MakeTensor = async ({ open, signal }) => {
    const file = await open(path)
    const target = new Uint8Array(foundBytes)
    let position = 0
    for (const part of parts) {
      await file.readInto(target.subarray(position, position + part.sizeBytes), {
        offsetBytes: part.offsetBytes,
        ...(signal && { signal }),
      })
      position += part.sizeBytes
    }
    return target
  }
  addTensor(content, { name, dtype, shape: dimensions, file: path, sizeBytes: foundBytes, storage: 'computed', computation: 'strided' })
  content.computed.set(name, content.wholeTensor(foundBytes, make))
}

/** Depth is bounded by readNode, so recursion is. */
function addNode(content: Content, name: string, node: Node): void {
  if (node.kind === 'array') {
    const { dtype, dtypeName, shape, offsetBytes, sizeBytes } = node.array
    if (!dtype) addLeftOut(content, dtypeName, name)
    else addTensor(content, { name, dtype, shape, file: content.file.path, offsetBytes, sizeBytes })
  } else if (node.kind === 'leaf') {
    if (node.text === null) addLeftOut(content, NO_ARRAY, name)
    else content.metadata.set(name, node.text)
  } else if (node.entries.has(CHUNKED_KEY)) addChunked(content, name, node.entries)
  else for (const [key, child] of node.entries) addNode(content, name === '' ? key : `${name}.${key}`, child)
}

/**
 * Opens a Flax file; names are the keys of the nested maps joined with dots. Texts and numbers become metadata.
 * Throws "checkpoint/flax-malformed", "checkpoint/flax-too-deep", "checkpoint/too-many-tensors", "checkpoint/size-mismatch", "checkpoint/shape-overflow".
 */
export async function openFlax(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<Checkpoint> {
  using file = await openRandomAccessFile(path)
  const reader = createForwardReader(file, options.signal)
  const malformed = (reason: string): EngineError =>
    engineError('checkpoint/flax-malformed', { path: file.path, offsetBytes: reader.positionBytes(), reason })
  const walk: Walk = { path: file.path, reader, malformed, values: 0 }
  const root = await readNode(walk, '', 0)
  if (root.kind !== 'map') throw malformed('the outermost value is not a map')
  if (reader.remainingBytes() > 0) throw malformed(`${reader.remainingBytes()} bytes follow the outermost map`)
  const content: Content = {
    file,
    walk,
    tensors: new Map(),
    computed: new Map(),
    metadata: new Map(),
    leftOut: new Map(),
    wholeTensor: createWholeTensors(),
  }
  addNode(content, '', root)
  return createCheckpoint({
    format: 'flax-msgpack',
    files: [{ path: file.path, sizeBytes: file.sizeBytes }],
    tensors: content.tensors,
    computed: content.computed,
    metadata: Object.fromEntries(content.metadata),
    notes: [...content.leftOut].map(([type, names]) =>
      type === NO_ARRAY
        ? note('checkpoint/left-out-no-array', countSome(names))
        : note('checkpoint/left-out-type', { ...countSome(names), type }),
    ),
  })
}

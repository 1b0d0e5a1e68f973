// Reader of the header of one GGUF file: metadata and tensor descriptions, as written. Follows the GGUF specification (ggml, docs/gguf.md), versions 2 and 3, either byte order.
import { narrowU64 } from '../../bytes/narrow'
import { openRandomAccessFile, type RandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import { createHeaderBytes, type HeaderBytes } from './header-bytes'
import { MAX_ALIGNMENT_BYTES, MAX_DIMENSIONS, MAX_KEY_BYTES, MAX_KEYS, MAX_NAME_BYTES, MAX_TENSORS } from './limits'
import { readStringBytes, readValue, type GgufValue } from './values'

/** One tensor as the header describes it. `dimensions` come as ggml orders them, fastest first; `offset` counts from the start of the data. */
export interface GgufTensorEntry {
  readonly name: string
  readonly dimensions: readonly bigint[]
  readonly typeNumber: number
  readonly offset: bigint
}

/** A header as written; nothing is checked yet about the tensors' data. `path` is the file's real path, `dataStartBytes` where the first tensor may lie. */
export interface GgufHeader {
  readonly path: string
  readonly fileSizeBytes: number
  readonly version: number
  readonly littleEndian: boolean
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: readonly GgufTensorEntry[]
  readonly alignmentBytes: number
  readonly dataStartBytes: number
}

/** Magic, version, and the two counts. */
const FIXED_BYTES = 24
const DEFAULT_ALIGNMENT_BYTES = 32

/** A key is a length, one byte and a type with its smallest value; a tensor a name, no dimensions, type and offset. */
const MIN_KEY_BYTES = 13
const MIN_TENSOR_BYTES = 24

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A name stands for a thing, so that two spellings of one must not exist: no replacement characters. */
async function readName(bytes: HeaderBytes, options: { readonly what: string; readonly maxBytes: number }): Promise<string> {
  const view = await readStringBytes(bytes, options)
  if (view.byteLength === 0) throw engineError('checkpoint/gguf-invalid-name', { path: bytes.path, what: options.what })
  try {
    return strictText.decode(view)
  } catch (cause) {
    throw engineError('checkpoint/gguf-invalid-name', { path: bytes.path, what: options.what }, cause)
  }
}

function checkCount(
  bytes: HeaderBytes,
  count: { readonly found: bigint; readonly what: string; readonly max: number; readonly minBytes: number },
): number {
  const { found, what, max, minBytes } = count
  if (found > BigInt(max)) throw engineError('checkpoint/gguf-too-many', { path: bytes.path, what, found: found.toString(), max })
  const neededBytes = Number(found) * minBytes
  const availableBytes = bytes.remainingBytes()
  if (neededBytes > availableBytes) {
    throw engineError('checkpoint/gguf-truncated-header', {
      path: bytes.path,
      what: `The list of ${found} ${what}`,
      offsetBytes: bytes.positionBytes(),
      neededBytes,
      availableBytes,
    })
  }
  return Number(found)
}

async function readMetadata(bytes: HeaderBytes, count: number): Promise<ReadonlyMap<string, GgufValue>> {
  const metadata = new Map<string, GgufValue>()
  for (let index = 0; index < count; index++) {
    const key = await readName(bytes, { what: `The name of metadata key ${index + 1}`, maxBytes: MAX_KEY_BYTES })
    if (metadata.has(key)) throw engineError('checkpoint/duplicate-key', { path: bytes.path, key: key.slice(0, 200) })
    metadata.set(key, await readValue(bytes, key.slice(0, 200)))
  }
  return metadata
}

async function readTensors(bytes: HeaderBytes, count: number): Promise<readonly GgufTensorEntry[]> {
  const tensors: GgufTensorEntry[] = []
  const names = new Set<string>()
  const { path, littleEndian } = bytes
  for (let index = 0; index < count; index++) {
    const name = await readName(bytes, { what: `The name of tensor ${index + 1}`, maxBytes: MAX_NAME_BYTES })
    if (names.has(name)) throw engineError('checkpoint/duplicate-tensor', { path, tensor: name })
    names.add(name)
    const rank = (await bytes.view(4, `The rank of tensor ${name}`)).getUint32(0, littleEndian)
    if (rank > MAX_DIMENSIONS)
      throw engineError('checkpoint/gguf-too-many-dimensions', { path, tensor: name, dimensions: rank, maxDimensions: MAX_DIMENSIONS })
    const view = await bytes.view(8 * rank + 12, `The description of tensor ${name}`)
    tensors.push({
      name,
      dimensions: Array.from({ length: rank }, (_, axis) => view.getBigUint64(8 * axis, littleEndian)),
      typeNumber: view.getUint32(8 * rank, littleEndian),
      offset: view.getBigUint64(8 * rank + 4, littleEndian),
    })
  }
  return tensors
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>, path: string): number {
  const value = metadata.get('general.alignment')
  if (value === undefined) return DEFAULT_ALIGNMENT_BYTES
  if (value.type !== 'u32') throw engineError('checkpoint/gguf-bad-alignment', { path, found: `of type ${value.type}` })
  const alignment = value.value
  // ggml pads with (offset + n - 1) & ~(n - 1), which only a power of two survives.
  if (alignment === 0 || (alignment & (alignment - 1)) !== 0 || alignment > MAX_ALIGNMENT_BYTES)
    throw engineError('checkpoint/gguf-bad-alignment', { path, found: String(alignment) })
  return alignment
}

/** Version and byte order: in the wrong order a small version has its low half zero. */
function readVersion(fixed: DataView, path: string): { readonly version: number; readonly littleEndian: boolean } {
  const littleEndian = (fixed.getUint32(4, true) & 0xffff) !== 0
  const version = fixed.getUint32(4, littleEndian)
  if (version !== 2 && version !== 3) throw engineError('checkpoint/gguf-version', { path, version })
  return { version, littleEndian }
}

async function readOpenHeader(file: RandomAccessFile, signal: AbortSignal | undefined): Promise<GgufHeader> {
  const path = file.path
  if (file.sizeBytes < FIXED_BYTES) {
    throw engineError('checkpoint/gguf-truncated-header', {
      path,
      what: 'The start of the header',
      offsetBytes: 0,
      neededBytes: FIXED_BYTES,
      availableBytes: file.sizeBytes,
    })
  }
  const start = await file.read({ offsetBytes: 0, sizeBytes: FIXED_BYTES, ...(signal && { signal }) })
  const fixed = new DataView(start.buffer, start.byteOffset, start.byteLength)
  if (fixed.getUint32(0, false) !== 0x47475546) throw engineError('checkpoint/gguf-magic', { path })
  const { version, littleEndian } = readVersion(fixed, path)
  const bytes = createHeaderBytes(file, { startBytes: FIXED_BYTES, littleEndian, ...(signal && { signal }) })
  const tensorCount = checkCount(bytes, {
    found: fixed.getBigUint64(8, littleEndian),
    what: 'tensors',
    max: MAX_TENSORS,
    minBytes: MIN_TENSOR_BYTES,
  })
  const keyCount = checkCount(bytes, {
    found: fixed.getBigUint64(16, littleEndian),
    what: 'metadata keys',
    max: MAX_KEYS,
    minBytes: MIN_KEY_BYTES,
  })
  const metadata = await readMetadata(bytes, keyCount)
  const tensors = await readTensors(bytes, tensorCount)
  const alignmentBytes = readAlignment(metadata, path)
  const dataStartBytes = Math.ceil(bytes.positionBytes() / alignmentBytes) * alignmentBytes
  return { path, fileSizeBytes: file.sizeBytes, version, littleEndian, metadata, tensors, alignmentBytes, dataStartBytes }
}

/**
 * Reads the header of the GGUF file at `path`; arrays of metadata and the tensors' data stay in the file.
 * Throws "bytes/not-found", "checkpoint/duplicate-key", "checkpoint/duplicate-tensor" and one "checkpoint/gguf-..." code per rule that is broken.
 */
export async function readGgufHeader(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<GgufHeader> {
  using file = await openRandomAccessFile(path)
  return await readOpenHeader(file, options.signal)
}

/** The whole number under `key`, or null where there is none. Throws "bytes/number-too-large". */
export function ggufInteger(metadata: ReadonlyMap<string, GgufValue>, key: string): number | null {
  const value = metadata.get(key)
  if (value === undefined || value.type === 'array' || value.type === 'string' || value.type === 'bool') return null
  if (typeof value.value === 'bigint') return narrowU64(value.value, { what: key })
  return Number.isSafeInteger(value.value) ? value.value : null
}

// The header of a safetensors file: u64 length, JSON of tensors, data. Follows safetensors 0.8 (README "Format", tensor.rs `SafeTensors::read_metadata` and `Metadata::validate`).
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../bytes/json'
import { EngineError, engineError } from '../errors'
import { isDtype } from '../tensor/dtype'
import { countElements, MAX_TENSOR_DIMENSIONS, tensorSizeBytes } from '../tensor/shape'
import type { PlainTensor } from './types'

/** The library's own cap on the header (MAX_HEADER_SIZE in tensor.rs): real headers are below 20 MB. */
export const MAX_HEADER_BYTES = 100_000_000

/** Bytes of the header length at the start of the file. */
export const HEADER_LENGTH_BYTES = 8

/** Tensors and metadata that a header describes. */
export interface SafetensorsHeader {
  readonly tensors: readonly PlainTensor[]
  readonly metadata: Readonly<Record<string, string>>
}

/** Where the header lies: the file it belongs to, its size and where the data starts. */
export interface HeaderContext {
  readonly file: string
  readonly fileSizeBytes: number
  readonly dataStartBytes: number
}

function parseHeaderJson(bytes: Uint8Array, path: string): JsonObject {
  let value: JsonValue
  try {
    value = parseJson(bytes, path)
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause
    if (cause.code === 'bytes/json-too-deep')
      throw engineError('checkpoint/header-too-deep', { path, maxDepth: Number(cause.details['maxDepth']) }, cause)
    if (cause.code === 'bytes/json-duplicate-key')
      throw engineError('checkpoint/duplicate-key', { path, key: String(cause.details['key']) }, cause)
    throw engineError('checkpoint/header-invalid-json', { path, reason: String(cause.details['reason']) }, cause)
  }
  if (!isJsonObject(value)) throw engineError('checkpoint/malformed-header', { path, tensor: null, reason: 'it is not a JSON object' })
  return value
}

function readMetadata(value: JsonValue | undefined, path: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  if (!isJsonObject(value)) throw engineError('checkpoint/malformed-metadata', { path, reason: 'it is not an object' })
  const entries = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text !== 'string')
      throw engineError('checkpoint/malformed-metadata', { path, reason: `the value of "${key.slice(0, 200)}" is not a string` })
    return [key, text]
  })
  // fromEntries defines own properties, so that a key `__proto__` stays data.
  return Object.fromEntries(entries)
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}

function readShape(value: JsonValue | undefined, place: { readonly path: string; readonly tensor: string }): readonly number[] {
  const malformed = (reason: string) => engineError('checkpoint/malformed-header', { ...place, reason })
  if (!Array.isArray(value)) throw malformed('its shape is not a list')
  if (value.length > MAX_TENSOR_DIMENSIONS)
    throw malformed(`its shape has ${value.length} dimensions; at most ${MAX_TENSOR_DIMENSIONS} are allowed`)
  const shape = value.map((dimension: JsonValue) => {
    if (!isCount(dimension)) throw malformed('its shape holds something other than whole numbers from 0 on')
    return dimension
  })
  if (countElements(shape) === null) throw engineError('checkpoint/shape-overflow', { ...place, shape })
  return shape
}

/** One tensor with its offsets still relative to the start of the data. */
function readTensor(name: string, value: JsonValue | undefined, context: HeaderContext): PlainTensor {
  const place = { path: context.file, tensor: name }
  const malformed = (reason: string) => engineError('checkpoint/malformed-header', { ...place, reason })
  if (!isJsonObject(value)) throw malformed('its entry is not an object')
  const { dtype, data_offsets: offsets } = value
  if (typeof dtype !== 'string') throw malformed('it has no dtype')
  if (!isDtype(dtype)) throw engineError('checkpoint/unknown-dtype', { ...place, dtype: dtype.slice(0, 40) })
  const shape = readShape(value['shape'], place)
  if (!Array.isArray(offsets) || offsets.length !== 2) throw malformed('its data_offsets are not two numbers')
  const [startBytes, endBytes] = offsets as readonly JsonValue[]
  if (typeof startBytes !== 'number' || typeof endBytes !== 'number') throw malformed('its data_offsets are not two numbers')
  if (!Number.isSafeInteger(startBytes) || !Number.isSafeInteger(endBytes)) {
    throw engineError('checkpoint/invalid-offsets', { ...place, startBytes, endBytes })
  }
  if (startBytes < 0 || endBytes < 0) throw engineError('checkpoint/negative-offset', { ...place, startBytes, endBytes })
  if (endBytes < startBytes) throw engineError('checkpoint/descending-offsets', { ...place, startBytes, endBytes })
  const neededBytes = tensorSizeBytes(dtype, shape)
  const foundBytes = endBytes - startBytes
  if (neededBytes !== foundBytes) throw engineError('checkpoint/size-mismatch', { ...place, dtype, shape, neededBytes, foundBytes })
  return { name, dtype, shape, file: context.file, offsetBytes: startBytes, sizeBytes: foundBytes }
}

/** Every data byte must belong to exactly one tensor: a hidden byte could make one file mean two things to two readers. */
function checkCoverage(tensors: readonly PlainTensor[], context: HeaderContext): void {
  const { file: path, fileSizeBytes, dataStartBytes } = context
  let previous: PlainTensor | null = null
  let expectedBytes = 0
  for (const tensor of tensors) {
    const startBytes = tensor.offsetBytes
    if (startBytes > expectedBytes) {
      throw engineError('checkpoint/gap-between-tensors', { path, tensor: tensor.name, startBytes, expectedBytes })
    }
    if (previous && startBytes < expectedBytes) {
      throw engineError('checkpoint/overlapping-tensors', {
        path,
        tensor: tensor.name,
        otherTensor: previous.name,
        startBytes,
        otherEndBytes: expectedBytes,
      })
    }
    expectedBytes = startBytes + tensor.sizeBytes
    previous = tensor
  }
  const endBytes = dataStartBytes + expectedBytes
  if (endBytes > fileSizeBytes) {
    const cut = tensors.find((tensor) => dataStartBytes + tensor.offsetBytes + tensor.sizeBytes > fileSizeBytes)
    if (cut) {
      throw engineError('checkpoint/truncated-file', {
        path,
        tensor: cut.name,
        endBytes: dataStartBytes + cut.offsetBytes + cut.sizeBytes,
        fileSizeBytes,
      })
    }
  }
  if (endBytes < fileSizeBytes) throw engineError('checkpoint/trailing-bytes', { path, endBytes, fileSizeBytes })
}

/**
 * Parses and validates a header's JSON. The tensors come back in the order of their data, with offsets from the start of the file.
 * Throws one "checkpoint/..." code per rule that is broken.
 */
export function parseSafetensorsHeader(headerBytes: Uint8Array, context: HeaderContext): SafetensorsHeader {
  const path = context.file
  // The format reserves this: a file whose header starts with anything else is not safetensors.
  if (headerBytes[0] !== 0x7b)
    throw engineError('checkpoint/malformed-header', { path, tensor: null, reason: 'it does not start with "{"' })
  const json = parseHeaderJson(headerBytes, path)
  const relative = Object.entries(json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readTensor(name, value, context))
    .sort((a, b) => a.offsetBytes - b.offsetBytes || a.sizeBytes - b.sizeBytes)
  checkCoverage(relative, context)
  return {
    tensors: relative.map((tensor) => ({ ...tensor, offsetBytes: context.dataStartBytes + tensor.offsetBytes })),
    metadata: readMetadata(json['__metadata__'], path),
  }
}

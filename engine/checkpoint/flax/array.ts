// Arrays inside a Flax file: extension type 1 holds [shape, dtype name, bytes]. Follows flax/serialization.py (0.10).
import { engineError, type EngineError } from '../../errors'
import type { Dtype } from '../../tensor/dtype'
import { MAX_TENSOR_DIMENSIONS, tensorSizeBytes } from '../../tensor/shape'
import type { ForwardReader } from './forward-reader'
import { readValue } from './msgpack'

/** NumPy and ml_dtypes names with a dtype of the same bytes. */
const DTYPES: Readonly<Record<string, Dtype>> = {
  bool: 'BOOL',
  int8: 'I8',
  int16: 'I16',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  float16: 'F16',
  bfloat16: 'BF16',
  float32: 'F32',
  float64: 'F64',
  complex64: 'C64',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fnuz: 'F8_E4M3FNUZ',
  float8_e5m2fnuz: 'F8_E5M2FNUZ',
  float8_e8m0fnu: 'F8_E8M0',
}

/** An array and where its bytes lie; `dtype` is null where its type has no name here. */
export interface FlaxArray {
  readonly dtype: Dtype | null
  readonly dtypeName: string
  readonly shape: readonly number[]
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/** Reads a number that must be a dimension. */
export function toDimension(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

/** Reads the content of an extension of type 1 or 3 and leaves the reader behind it. Throws "checkpoint/flax-malformed", "checkpoint/shape-overflow", "checkpoint/size-mismatch". */
export async function readArray(
  reader: ForwardReader,
  array: { readonly path: string; readonly name: string; readonly endBytes: number },
): Promise<FlaxArray> {
  const { path, name, endBytes } = array
  const malformed = (reason: string): EngineError =>
    engineError('checkpoint/flax-malformed', { path, offsetBytes: reader.positionBytes(), reason: `array ${name}: ${reason}` })
  const outer = await readValue(reader, path)
  if (outer.kind !== 'array' || outer.length !== 3) throw malformed('it is not a list of shape, dtype and bytes')
  const rank = await readValue(reader, path)
  if (rank.kind !== 'array' || rank.length > MAX_TENSOR_DIMENSIONS) throw malformed('its shape is not a list of dimensions')
  const shape: number[] = []
  for (let index = 0; index < rank.length; index++) {
    const size = await readValue(reader, path)
    const dimension = size.kind === 'scalar' ? toDimension(typeof size.value === 'bigint' ? Number(size.value) : size.value) : null
    if (dimension === null) throw malformed('a dimension is not a whole number')
    shape.push(dimension)
  }
  const dtypeName = await readValue(reader, path)
  if (dtypeName.kind !== 'text') throw malformed('its dtype is not a text')
  const data = await readValue(reader, path)
  if (data.kind !== 'bytes' || data.offsetBytes + data.sizeBytes !== endBytes) throw malformed('its bytes do not end where the array ends')
  reader.skip(data.sizeBytes)
  const { offsetBytes, sizeBytes } = data
  const dtype = Object.hasOwn(DTYPES, dtypeName.value) ? (DTYPES[dtypeName.value] ?? null) : null
  if (dtype) {
    const neededBytes = tensorSizeBytes(dtype, shape)
    if (neededBytes === null) throw engineError('checkpoint/shape-overflow', { path, tensor: name, shape })
    if (neededBytes !== sizeBytes)
      throw engineError('checkpoint/size-mismatch', { path, tensor: name, dtype, shape, neededBytes, foundBytes: sizeBytes })
  }
  return { dtype, dtypeName: dtypeName.value, shape, offsetBytes, sizeBytes }
}

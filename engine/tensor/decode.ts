// Tensor bytes of any dtype -> floating-point values, for inspection and comparison (the runtime reads weights in their own dtype).
import { engineError } from '../errors'
import { DTYPE_BITS, type Dtype } from './dtype'
import { halfFloatTable, SMALL_FLOAT_TABLES } from './small-floats'

type FloatArray = Float32Array | Float64Array

/** Dtypes whose bytes can be decoded. Complex numbers have no order, and no specification says how F6 values are packed. */
export function isDecodable(dtype: Dtype): boolean {
  return dtype !== 'C64' && dtype !== 'F6_E2M3' && dtype !== 'F6_E3M2'
}

type ReadElement = (view: DataView, index: number) => number

const READ_ELEMENT = {
  BOOL: (view, index) => (view.getUint8(index) === 0 ? 0 : 1),
  U8: (view, index) => view.getUint8(index),
  I8: (view, index) => view.getInt8(index),
  I16: (view, index) => view.getInt16(index * 2, true),
  U16: (view, index) => view.getUint16(index * 2, true),
  I32: (view, index) => view.getInt32(index * 4, true),
  U32: (view, index) => view.getUint32(index * 4, true),
  I64: (view, index) => Number(view.getBigInt64(index * 8, true)),
  U64: (view, index) => Number(view.getBigUint64(index * 8, true)),
  F32: (view, index) => view.getFloat32(index * 4, true),
  F64: (view, index) => view.getFloat64(index * 8, true),
} as const satisfies Partial<Record<Dtype, ReadElement>>

function decodeTable(target: FloatArray, bytes: Uint8Array, table: Float32Array): void {
  // The table has a value for every byte.
  for (let index = 0; index < target.length; index++) target[index] = table[bytes[index] ?? 0] ?? NaN
}

/** Two values in a byte, the first in the low half, as torch.float4_e2m1fn_x2 packs them. */
function decodeNibbles(target: FloatArray, bytes: Uint8Array, table: Float32Array): void {
  for (let index = 0; index < target.length; index++) {
    const byte = bytes[index >> 1] ?? 0
    target[index] = table[index % 2 === 0 ? byte & 15 : byte >> 4] ?? NaN
  }
}

function decodeInto(target: FloatArray, bytes: Uint8Array, dtype: Dtype): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (dtype) {
    case 'F16': {
      const table = halfFloatTable()
      for (let index = 0; index < target.length; index++) target[index] = table[view.getUint16(index * 2, true)] ?? NaN
      return
    }
    case 'BF16': {
      // BF16 is the upper half of an F32.
      const bits = new Uint32Array(1)
      const value = new Float32Array(bits.buffer)
      for (let index = 0; index < target.length; index++) {
        bits[0] = view.getUint16(index * 2, true) << 16
        target[index] = value[0] ?? NaN
      }
      return
    }
    case 'F8_E4M3':
    case 'F8_E5M2':
    case 'F8_E8M0':
    case 'F8_E4M3FNUZ':
    case 'F8_E5M2FNUZ':
      decodeTable(target, bytes, SMALL_FLOAT_TABLES[dtype])
      return
    case 'F4':
      decodeNibbles(target, bytes, SMALL_FLOAT_TABLES.F4)
      return
    case 'C64':
    case 'F6_E2M3':
    case 'F6_E3M2':
      throw engineError('checkpoint/undecodable-dtype', { dtype })
    default: {
      const readElement: ReadElement = READ_ELEMENT[dtype]
      for (let index = 0; index < target.length; index++) target[index] = readElement(view, index)
    }
  }
}

function elementCount(bytes: Uint8Array, dtype: Dtype): number {
  return Math.floor((bytes.byteLength * 8) / DTYPE_BITS[dtype])
}

/** Elements of little-endian tensor bytes as F32; F64 and wide integers are rounded. Throws "checkpoint/undecodable-dtype" for C64 and F6. */
export function decodeFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  const target = new Float32Array(elementCount(bytes, dtype))
  decodeInto(target, bytes, dtype)
  return target
}

/** Elements of little-endian tensor bytes as F64: exact for every dtype but I64 and U64 beyond 2^53. Throws "checkpoint/undecodable-dtype" for C64 and F6. */
export function decodeFloat64(bytes: Uint8Array, dtype: Dtype): Float64Array {
  const target = new Float64Array(elementCount(bytes, dtype))
  decodeInto(target, bytes, dtype)
  return target
}

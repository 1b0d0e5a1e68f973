// PyTorch's dtypes and storage classes in the names of safetensors. Follows torch/storage.py (`_dtype_to_storage_type_map`) of PyTorch 2.13 and safetensors 0.8.
import type { Dtype } from '../../tensor/dtype'

/** A dtype: its size, the unit that big-endian files swap, and its safetensors name, null where safetensors has none. */
export interface TorchDtype {
  readonly dtype: Dtype | null
  readonly elementBytes: number
  readonly swapBytes: number
}

function plain(dtype: Dtype | null, elementBytes: number): TorchDtype {
  return { dtype, elementBytes, swapBytes: elementBytes }
}

/** By PyTorch's name without `torch.`. */
export const TORCH_DTYPES: ReadonlyMap<string, TorchDtype> = new Map([
  ['float64', plain('F64', 8)],
  ['double', plain('F64', 8)],
  ['float32', plain('F32', 4)],
  ['float', plain('F32', 4)],
  ['float16', plain('F16', 2)],
  ['half', plain('F16', 2)],
  ['bfloat16', plain('BF16', 2)],
  ['int64', plain('I64', 8)],
  ['long', plain('I64', 8)],
  ['int32', plain('I32', 4)],
  ['int', plain('I32', 4)],
  ['int16', plain('I16', 2)],
  ['short', plain('I16', 2)],
  ['int8', plain('I8', 1)],
  ['uint8', plain('U8', 1)],
  ['uint16', plain('U16', 2)],
  ['uint32', plain('U32', 4)],
  ['uint64', plain('U64', 8)],
  ['bool', plain('BOOL', 1)],
  ['float8_e4m3fn', plain('F8_E4M3', 1)],
  ['float8_e5m2', plain('F8_E5M2', 1)],
  ['float8_e4m3fnuz', plain('F8_E4M3FNUZ', 1)],
  ['float8_e5m2fnuz', plain('F8_E5M2FNUZ', 1)],
  ['float8_e8m0fnu', plain('F8_E8M0', 1)],
  ['float4_e2m1fn_x2', plain('F4', 1)],
  ['complex32', { dtype: null, elementBytes: 4, swapBytes: 2 }],
  ['complex64', { dtype: 'C64', elementBytes: 8, swapBytes: 4 }],
  ['cfloat', { dtype: 'C64', elementBytes: 8, swapBytes: 4 }],
  ['complex128', { dtype: null, elementBytes: 16, swapBytes: 8 }],
  ['qint8', plain(null, 1)],
  ['quint8', plain(null, 1)],
  ['qint32', plain(null, 4)],
  ['quint4x2', plain(null, 1)],
  ['quint2x4', plain(null, 1)],
])

/** Storage classes by name; null is a storage of bytes. */
export const STORAGE_DTYPES: ReadonlyMap<string, string | null> = new Map([
  ['DoubleStorage', 'float64'],
  ['FloatStorage', 'float32'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['LongStorage', 'int64'],
  ['IntStorage', 'int32'],
  ['ShortStorage', 'int16'],
  ['CharStorage', 'int8'],
  ['ByteStorage', 'uint8'],
  ['BoolStorage', 'bool'],
  ['ComplexFloatStorage', 'complex64'],
  ['ComplexDoubleStorage', 'complex128'],
  ['QInt8Storage', 'qint8'],
  ['QUInt8Storage', 'quint8'],
  ['QInt32Storage', 'qint32'],
  ['QUInt4x2Storage', 'quint4x2'],
  ['QUInt2x4Storage', 'quint2x4'],
  ['UntypedStorage', null],
])

/** Bytes of one element of a storage. */
export function storageElementBytes(dtype: string | null): number {
  return dtype === null ? 1 : (TORCH_DTYPES.get(dtype)?.elementBytes ?? 1)
}

// The data.pkl of a PyTorch archive: an OrderedDict of tensors over storages, pickle protocol 2. Follows PyTorch 2.13 (torch/_tensor.py `_reduce_ex_internal`, torch/serialization.py `_save`); loads with weights_only=True.
import { countElements } from '../../tensor/shape'
import type { OutputTensor, StoredDtype } from './file-layout'

/** Dtypes with a storage class of their own. */
const TYPED_STORAGES: Partial<Record<StoredDtype, string>> = {
  F64: 'DoubleStorage',
  F32: 'FloatStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
  I64: 'LongStorage',
  I32: 'IntStorage',
  I16: 'ShortStorage',
  I8: 'CharStorage',
  U8: 'ByteStorage',
  BOOL: 'BoolStorage',
  C64: 'ComplexFloatStorage',
}

/** Dtypes that came after storages lost their type: `_rebuild_tensor_v3` over bytes. */
const UNTYPED_DTYPES: Partial<Record<StoredDtype, string>> = {
  U16: 'uint16',
  U32: 'uint32',
  U64: 'uint64',
  F8_E4M3: 'float8_e4m3fn',
  F8_E5M2: 'float8_e5m2',
  F8_E4M3FNUZ: 'float8_e4m3fnuz',
  F8_E5M2FNUZ: 'float8_e5m2fnuz',
  F8_E8M0: 'float8_e8m0fnu',
}

/** Whether PyTorch has a dtype for this one. */
export function isTorchDtype(dtype: StoredDtype): boolean {
  return dtype in TYPED_STORAGES || dtype in UNTYPED_DTYPES
}

/** Items per SETITEMS, as Python's pickler batches them. */
const BATCH_ITEMS = 1000

const OP = {
  proto: 0x80,
  global: 0x63,
  emptyTuple: 0x29,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  tuple: 0x74,
  mark: 0x28,
  reduce: 0x52,
  binPersistentId: 0x51,
  binUnicode: 0x58,
  binInt1: 0x4b,
  binInt2: 0x4d,
  binInt: 0x4a,
  long1: 0x8a,
  newFalse: 0x89,
  setItems: 0x75,
  stop: 0x2e,
} as const

const op = (code: number): Uint8Array => Uint8Array.of(code)

function global(module: string, name: string): Uint8Array {
  return Buffer.from(`c${module}\n${name}\n`)
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value)
  const head = Buffer.alloc(5)
  head.writeUInt8(OP.binUnicode)
  head.writeUInt32LE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** A whole number from 0 in the shortest form. */
function integer(value: number): Uint8Array {
  if (value < 0x100) return Uint8Array.of(OP.binInt1, value)
  if (value < 0x10000) return Uint8Array.of(OP.binInt2, value & 0xff, value >> 8)
  if (value < 2 ** 31) {
    const bytes = Buffer.alloc(5, OP.binInt)
    bytes.writeInt32LE(value, 1)
    return bytes
  }
  // Numbers here end at 2^53: eight bytes of two's complement always hold them.
  const bytes = Buffer.alloc(10, OP.long1)
  bytes.writeUInt8(8, 1)
  bytes.writeBigInt64LE(BigInt(value), 2)
  return bytes
}

function tuple(values: readonly Uint8Array[]): readonly Uint8Array[] {
  const short = [OP.emptyTuple, OP.tuple1, OP.tuple2, OP.tuple3][values.length]
  return short === undefined ? [op(OP.mark), ...values, op(OP.tuple)] : [...values, op(short)]
}

/** Strides of a contiguous tensor; a dimension of 0 counts as 1, as in PyTorch. */
function contiguousStrides(shape: readonly number[]): readonly number[] {
  let stride = 1
  return shape
    .toReversed()
    .map((dimension) => {
      const current = stride
      stride *= Math.max(dimension, 1)
      return current
    })
    .toReversed()
}

/** One tensor that begins at the start of the storage `key`. */
function tensorValue(tensor: OutputTensor, key: string): readonly Uint8Array[] {
  const { dtype, shape } = tensor
  const typed = TYPED_STORAGES[dtype]
  const elements = countElements(shape) ?? 0
  const storage = typed === undefined ? global('torch.storage', 'UntypedStorage') : global('torch', typed)
  const storageLength = typed === undefined ? tensor.sizeBytes : elements
  return [
    global('torch._utils', typed === undefined ? '_rebuild_tensor_v3' : '_rebuild_tensor_v2'),
    op(OP.mark),
    ...tuple([text('storage'), storage, text(key), text('cpu'), integer(storageLength)]),
    op(OP.binPersistentId),
    integer(0),
    ...tuple(shape.map(integer)),
    ...tuple(contiguousStrides(shape).map(integer)),
    op(OP.newFalse),
    ...emptyOrderedDict(),
    ...(typed === undefined ? [global('torch', UNTYPED_DTYPES[dtype] ?? '')] : []),
    op(OP.tuple),
    op(OP.reduce),
  ]
}

function emptyOrderedDict(): readonly Uint8Array[] {
  return [global('collections', 'OrderedDict'), op(OP.emptyTuple), op(OP.reduce)]
}

/**
 * Pickles a state dict: the storage key of a tensor is its index in the list, and all its names refer to that one storage.
 * Every dtype must be one of PyTorch's (see isTorchDtype).
 */
export function pickleStateDict(tensors: readonly OutputTensor[]): Uint8Array {
  const items = tensors.flatMap((tensor, index) => {
    const value = tensorValue(tensor, String(index))
    return [tensor.name, ...tensor.aliases].map((name) => [text(name), ...value])
  })
  const parts: Uint8Array[] = [Uint8Array.of(OP.proto, 2), ...emptyOrderedDict()]
  for (let start = 0; start < items.length; start += BATCH_ITEMS) {
    parts.push(op(OP.mark), ...items.slice(start, start + BATCH_ITEMS).flat(), op(OP.setItems))
  }
  parts.push(op(OP.stop))
  return Buffer.concat(parts)
}

// Layout of a NumPy archive (.npz): one stored .npy per tensor. Follows numpy.lib.format version 1.0 (NEP 1) and numpy 2.4 `savez`.
import { engineError } from '../../errors'
import type { FileLayout, OutputTensor, StoredDtype } from './file-layout'
import { zipOfTensors } from './zip-of-tensors'

const DESCRIPTORS: Partial<Record<StoredDtype, string>> = {
  BOOL: '|b1',
  U8: '|u1',
  I8: '|i1',
  U16: '<u2',
  I16: '<i2',
  F16: '<f2',
  U32: '<u4',
  I32: '<i4',
  F32: '<f4',
  U64: '<u8',
  I64: '<i8',
  F64: '<f8',
  C64: '<c8',
}

/** NumPy's ARRAY_ALIGN: the data of an array begins at a multiple of this within its file. */
const ARRAY_ALIGNMENT_BYTES = 64
/** Magic, version and the 16-bit length of the header. */
const PREFIX_BYTES = 10
/** A zip name ends at 65,535 bytes, ".npy" included. */
const MAX_NAME_BYTES = 65_535 - 4

/** Whether NumPy has a dtype for this one. */
export function isNumpyDtype(dtype: StoredDtype): boolean {
  return dtype in DESCRIPTORS
}

/** A Python tuple: one element keeps its comma. */
function pythonTuple(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape.join('')},)` : `(${shape.join(', ')})`
}

function arrayHeader({ dtype, shape }: OutputTensor): Uint8Array {
  const dictionary = `{'descr': '${DESCRIPTORS[dtype] ?? ''}', 'fortran_order': False, 'shape': ${pythonTuple(shape)}, }`
  const totalBytes = Math.ceil((PREFIX_BYTES + dictionary.length + 1) / ARRAY_ALIGNMENT_BYTES) * ARRAY_ALIGNMENT_BYTES
  const header = Buffer.alloc(totalBytes, ' ')
  header.write('\x93NUMPY\x01\x00', 'latin1')
  header.writeUInt16LE(totalBytes - PREFIX_BYTES, 8)
  header.write(dictionary, PREFIX_BYTES, 'latin1')
  header.write('\n', totalBytes - 1, 'latin1')
  return header
}

/** Lays out a NumPy archive. Aliases and metadata have no place in it. Throws "convert/name-not-in-format". */
export function layOutNpz(tensors: readonly OutputTensor[]): FileLayout {
  const storages = tensors.map((tensor) => {
    const { name, sizeBytes } = tensor
    const reason =
      Buffer.byteLength(name) > MAX_NAME_BYTES
        ? `it is longer than ${MAX_NAME_BYTES} bytes`
        : name.includes('\0')
          ? 'it holds a zero character'
          : null
    if (reason !== null) throw engineError('convert/name-not-in-format', { tensor: name.slice(0, 200), format: 'npz', reason })
    return { name: `${name}.npy`, bytes: arrayHeader(tensor), dataBytes: sizeBytes }
  })
  return zipOfTensors({ tensors, before: [], storages, after: [] })
}

// Tensors of a PyTorch checkpoint: each view checked against its storage, and either left where it lies or made when it is read.
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import { countElements } from '../../tensor/shape'
import type { PickleStorage, PickleTensor } from '../pickle/values'
import type { ComputeRange } from '../tensor-files'
import type { ComputedTensor, PlainTensor, TensorComputation, TensorInfo } from '../types'
import { storageElementBytes, TORCH_DTYPES, type TorchDtype } from './dtypes'
import { isContiguous, readStrided, swapBytes } from './strided'
import { nameSome, note, type Note } from '../../notes'

/** An expanded view can be larger than its file without end; what cannot be read at once is no tensor of a model. */
const MAX_EXPANDED_BYTES = 2 ** 32 - 1

/** Where a storage's bytes are. `plainOffsetBytes` is their place in `file` where they lie there as they are, null where they are compressed. */
export interface StoragePlace {
  readonly file: string
  readonly sizeBytes: number
  readonly plainOffsetBytes: number | null
  readonly bigEndian: boolean
  readonly read: (
    file: RandomAccessFile,
    range: { readonly offsetBytes: number; readonly sizeBytes: number; readonly signal?: AbortSignal },
  ) => Promise<Uint8Array>
}

/** Tensors with the way to make those that do not lie in the file, and remarks. */
export interface PlacedTensors {
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly computed: ReadonlyMap<string, ComputeRange>
  readonly notes: readonly Note[]
}

interface CheckedView {
  readonly name: string
  readonly dtype: TorchDtype
  readonly view: PickleTensor
  /** Elements of the tensor's own dtype. */
  readonly offsetElements: number
  readonly sizeBytes: number
}

function checkView(name: string, view: PickleTensor, path: string): CheckedView | null {
  const { storage, shape, strides } = view
  const dtype = TORCH_DTYPES.get(view.dtype)
  if (!dtype)
    throw engineError('checkpoint/malformed-tensor', {
      path,
      reason: `${name.slice(0, 200)} has the unknown dtype ${view.dtype.slice(0, 50)}`,
    })
  const elements = countElements(shape)
  if (elements === null || !Number.isSafeInteger(elements * dtype.elementBytes)) {
    throw engineError('checkpoint/shape-overflow', { path, tensor: name, shape })
  }
  const storageBytes = storage.elements * storageElementBytes(storage.dtype)
  const offsetElements =
    view.offsetElements + ((storage.view?.offsetElements ?? 0) * storageElementBytes(storage.dtype)) / dtype.elementBytes
  const lastElement = elements === 0 ? 0 : shape.reduce((last, size, axis) => last + (size - 1) * (strides[axis] ?? 0), offsetElements) + 1
  const viewBytes = storage.view ? (storage.view.offsetElements + storage.view.elements) * storageElementBytes(storage.dtype) : storageBytes
  const storageElements = Math.floor(Math.min(viewBytes, storageBytes) / dtype.elementBytes)
  if (!Number.isSafeInteger(storageBytes) || !Number.isInteger(offsetElements) || lastElement > storageElements) {
    throw engineError('checkpoint/view-outside-storage', { path, tensor: name, neededElements: lastElement, storageElements })
  }
  if (dtype.dtype === null) return null
  const sizeBytes = elements * dtype.elementBytes
  if (sizeBytes > storageBytes && sizeBytes > MAX_EXPANDED_BYTES) {
    throw engineError('checkpoint/tensor-too-large', { tensor: name, sizeBytes, maxBytes: MAX_EXPANDED_BYTES })
  }
  return { name, dtype, view, offsetElements, sizeBytes }
}

/** PyTorch counts pairs of F4 values, safetensors counts values. */
function unpackedShape(shape: readonly number[]): readonly number[] {
  const last = shape.at(-1)
  return last === undefined ? [2] : [...shape.slice(0, -1), last * 2]
}

function computationOf(checked: CheckedView, place: StoragePlace): TensorComputation | null {
  if (checked.sizeBytes === 0) return null
  if (!isContiguous(checked.view)) return 'strided'
  if (place.plainOffsetBytes === null) return 'compressed'
  return place.bigEndian && checked.dtype.swapBytes > 1 ? 'big-endian' : null
}

function computeRange(checked: CheckedView, place: StoragePlace): ComputeRange {
  const { elementBytes, swapBytes: wordBytes } = checked.dtype
  const { shape, strides } = checked.view
  const view = { shape, strides, offsetElements: checked.offsetElements, elementBytes }
  return async ({ offsetBytes, sizeBytes, open, signal }) => {
    const file = await open(place.file)
    const start = Math.floor(offsetBytes / elementBytes)
    const end = Math.ceil((offsetBytes + sizeBytes) / elementBytes)
    const read = (from: number, size: number) => place.read(file, { offsetBytes: from, sizeBytes: size, ...(signal && { signal }) })
    const bytes = await readStrided(view, { start, end, read })
    if (place.bigEndian) swapBytes(bytes, wordBytes)
    return bytes.subarray(offsetBytes - start * elementBytes, offsetBytes - start * elementBytes + sizeBytes)
  }
}

/** Names that share the same view of the same storage are one tensor with several names. */
function tiedNotes(checked: readonly CheckedView[]): readonly Note[] {
  const groups = new Map<string, string[]>()
  for (const { name, view, offsetElements, sizeBytes } of checked) {
    if (sizeBytes === 0) continue
    const key = [view.storage.key, view.dtype, offsetElements, view.shape.join('x'), view.strides.join('x')].join(' ')
    groups.set(key, [...(groups.get(key) ?? []), name])
  }
  return [...groups.values()]
    .filter((names) => names.length > 1)
    .map((names) => note('checkpoint/tied', { names: nameSome(names, { separator: ' = ' }) }))
}

/**
 * Checks named views and places them. `locate` finds a storage; it is asked once for each that holds bytes.
 * Throws "checkpoint/malformed-tensor", "checkpoint/shape-overflow", "checkpoint/view-outside-storage", "checkpoint/tensor-too-large",
 * "checkpoint/storage-too-short" and what `locate` throws.
 */
export async function placeTensors(options: {
  readonly path: string
  readonly named: ReadonlyMap<string, PickleTensor>
  readonly locate: (storage: PickleStorage) => Promise<StoragePlace>
}): Promise<PlacedTensors> {
  const { path, named, locate } = options
  const tensors = new Map<string, TensorInfo>()
  const computed = new Map<string, ComputeRange>()
  const places = new Map<string, StoragePlace>()
  const kept: CheckedView[] = []
  const skipped: string[] = []
  for (const [name, view] of named) {
    const checked = checkView(name, view, path)
    if (!checked?.dtype.dtype) {
      skipped.push(name)
      continue
    }
    kept.push(checked)
    const { storage } = view
    const shape = checked.dtype.dtype === 'F4' ? unpackedShape(view.shape) : view.shape
    const header = { name, dtype: checked.dtype.dtype, shape, sizeBytes: checked.sizeBytes }
    if (checked.sizeBytes === 0) {
      tensors.set(name, { ...header, file: path, offsetBytes: 0 } satisfies PlainTensor)
      continue
    }
    const place = places.get(storage.key) ?? (await locate(storage))
    places.set(storage.key, place)
    const neededBytes = storage.elements * storageElementBytes(storage.dtype)
    if (place.sizeBytes < neededBytes) {
      throw engineError('checkpoint/storage-too-short', {
        path,
        storage: storage.key.slice(0, 200),
        neededBytes,
        foundBytes: place.sizeBytes,
      })
    }
    const computation = computationOf(checked, place)
    if (computation === null && place.plainOffsetBytes !== null) {
      const offsetBytes = place.plainOffsetBytes + checked.offsetElements * checked.dtype.elementBytes
      tensors.set(name, { ...header, file: place.file, offsetBytes } satisfies PlainTensor)
    } else {
      tensors.set(name, {
        ...header,
        file: place.file,
        storage: 'computed',
        computation: computation ?? 'compressed',
      } satisfies ComputedTensor)
      computed.set(name, computeRange(checked, place))
    }
  }
  const skippedNote = skipped.length > 0 ? [note('checkpoint/left-out-dtype', { names: nameSome(skipped) })] : []
  return { tensors, computed, notes: [...tiedNotes(kept), ...skippedNote] }
}

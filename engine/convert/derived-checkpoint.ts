// A checkpoint whose tensors are those of another one, or are made from them: what a conversion reads from when names and layouts change on the way.
import { engineError } from '../errors'
import type { Checkpoint, ComputedTensor, TensorInfo } from '../checkpoint/types'
import type { Dtype } from '../tensor/dtype'
import { tensorSizeBytes } from '../tensor/shape'
import { readBytes, type Rows } from './rows'
import { distinctNotes } from '../notes'

/** A tensor as it is, or one that is made of rows. */
export type DerivedTensor =
  | { readonly kind: 'same'; readonly checkpoint: Checkpoint; readonly tensor: TensorInfo }
  | { readonly kind: 'made'; readonly rows: Rows; readonly dtype: Dtype; readonly shape: readonly number[]; readonly file: string }

/** The tensor of a made one. */
function computedTensor(name: string, made: Extract<DerivedTensor, { kind: 'made' }>): ComputedTensor {
  const { dtype, shape, file } = made
  // Made of tensors whose sizes are exact numbers already.
  return { name, dtype, shape, file, sizeBytes: tensorSizeBytes(dtype, shape) ?? 0, storage: 'computed', computation: 'derived' }
}

/**
 * Makes a checkpoint of derived tensors, each under a name of its own. Disposing it disposes the sources.
 * Its readers throw "checkpoint/unknown-tensor" and what reading the sources throws.
 */
export function deriveCheckpoint(sources: readonly Checkpoint[], derived: ReadonlyMap<string, DerivedTensor>): Checkpoint {
  const tensors = new Map<string, TensorInfo>()
  for (const [name, each] of derived) tensors.set(name, each.kind === 'same' ? { ...each.tensor, name } : computedTensor(name, each))
  const readRange: Checkpoint['readRange'] = (range) => {
    const each = derived.get(range.name)
    if (!each) return Promise.reject(engineError('checkpoint/unknown-tensor', { tensor: range.name, count: derived.size }))
    return each.kind === 'same' ? each.checkpoint.readRange({ ...range, name: each.tensor.name }) : readBytes(each.rows, range)
  }
  const [first] = sources
  return {
    format: first?.format ?? 'safetensors',
    files: sources.flatMap(({ files }) => files),
    tensors,
    metadata: first?.metadata ?? {},
    notes: distinctNotes(sources.flatMap(({ notes }) => notes)),
    readRange,
    read: (name, signal) => readRange({ name, offsetBytes: 0, sizeBytes: tensors.get(name)?.sizeBytes ?? 0, ...(signal && { signal }) }),
    [Symbol.dispose]: () => {
      for (const source of sources) source[Symbol.dispose]()
    },
  }
}

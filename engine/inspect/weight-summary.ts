// Totals over the tensors of a checkpoint, from headers alone.
import type { TensorInfo } from '../checkpoint/types'
import type { Dtype } from '../tensor/dtype'
import { countElements } from '../tensor/shape'

/** Totals of a set of tensors. `dtype` is the one that holds most bytes, null when there are no bytes. */
export interface WeightSummary {
  readonly parameterCount: number
  readonly weightBytes: number
  readonly dtype: Dtype | null
}

/** Adds up elements and bytes of tensors. */
export function summarizeWeights(tensors: Iterable<TensorInfo>): WeightSummary {
  const bytesByDtype = new Map<Dtype, number>()
  let parameterCount = 0
  let weightBytes = 0
  for (const tensor of tensors) {
    parameterCount += countElements(tensor.shape) ?? 0
    weightBytes += tensor.sizeBytes
    bytesByDtype.set(tensor.dtype, (bytesByDtype.get(tensor.dtype) ?? 0) + tensor.sizeBytes)
  }
  const [largest] = [...bytesByDtype].sort(([, a], [, b]) => b - a)
  return { parameterCount, weightBytes, dtype: largest && largest[1] > 0 ? largest[0] : null }
}

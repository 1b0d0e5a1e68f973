// Tensor values over the C API: memory of our own that ONNX Runtime reads and writes through its address.
import { engineError } from '../../errors'
import type { OrtDtype, OrtRuntime, OrtValue } from '../ort-types'
import { addressOf, check, type OrtLibrary, outPointer } from './c-api-library'
import { MAX_RANK, ORT_ELEMENT_TYPES, dtypeOfOnnx, tensorSizeBytes } from './dtypes'
import { allocateBytes } from './memory'
import { Value, viewedBytes } from './value'

/** The values of one library: made in memory we own, or copied once out of what ONNX Runtime allocated. */
export interface CApiValues {
  readonly allocate: (options: { readonly dtype: OrtDtype; readonly shape: readonly number[] }) => Value<bigint>
  readonly view: OrtRuntime['view']
  /** Takes over a tensor that a run allocated: copies it into memory we own and frees it. */
  readonly adopt: (handle: bigint) => Value<bigint>
  readonly lookup: (value: OrtValue) => Value<bigint> | undefined
}

/** The values of an opened library. */
export function createValues(library: OrtLibrary): CApiValues {
  const { api } = library
  const known = new WeakMap<OrtValue, Value<bigint>>()
  const make = (parts: Pick<OrtValue, 'dtype' | 'shape' | 'bytes'> & { readonly memoryOf?: Value<bigint> }): Value<bigint> => {
    const { dtype, shape, bytes } = parts
    const dimensions = BigInt64Array.from(shape, BigInt)
    const type = ORT_ELEMENT_TYPES[dtype].onnx
    const handle = outPointer(api, 'Making a tensor', (out) =>
      api.CreateTensorWithDataAsOrtValue(library.cpuMemoryInfo, addressOf(bytes), bytes.byteLength, dimensions, shape.length, type, out),
    )
    const value = new Value({ ...parts, shape: [...shape], handle, freeHandle: (tensor) => api.ReleaseValue(tensor) })
    known.set(value, value)
    return value
  }
  const allocate: CApiValues['allocate'] = ({ dtype, shape }) =>
    make({ dtype, shape, bytes: allocateBytes(tensorSizeBytes({ dtype, shape }), addressOf) })
  const view: CApiValues['view'] = (of, { dtype, shape }) => {
    const memoryOf = known.get(of)
    if (memoryOf === undefined) throw engineError('runtime/foreign-value', { name: 'view' })
    return make({ dtype, shape, bytes: viewedBytes(memoryOf, { dtype, shape }), memoryOf })
  }
  const adopt: CApiValues['adopt'] = (handle) => {
    try {
      const value = allocate(describeTensor(library, handle))
      library.copyFrom(
        outPointer(api, 'Reading an output', (out) => api.GetTensorMutableData(handle, out)),
        value.bytes,
      )
      return value
    } finally {
      api.ReleaseValue(handle)
    }
  }
  return { allocate, view, adopt, lookup: (value) => known.get(value) }
}

function describeTensor({ api }: OrtLibrary, handle: bigint): { dtype: OrtDtype; shape: readonly number[] } {
  const what = 'Reading the shape of an output'
  if (handle === 0n) throw engineError('runtime/ort-failed', { what, code: 'NOT_FOUND', reason: 'the graph did not produce it' })
  const info = outPointer(api, what, (out) => api.GetTensorTypeAndShape(handle, out))
  try {
    const type = new Int32Array(1)
    check(api, what, api.GetTensorElementType(info, type))
    const rank = Math.min(Number(outPointer(api, what, (out) => api.GetDimensionsCount(info, out))), MAX_RANK)
    const dimensions = new BigInt64Array(rank)
    check(api, what, api.GetDimensions(info, dimensions, rank))
    return { dtype: dtypeOfOnnx(type[0] ?? 0), shape: Array.from(dimensions, Number) }
  } finally {
    api.ReleaseTensorTypeAndShapeInfo(info)
  }
}

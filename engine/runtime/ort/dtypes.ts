// Element types that cross the border to ONNX Runtime: ONNX number, name in the Node binding, element size. Source: onnx.proto TensorProto.DataType.
import { engineError } from '../../errors'
import type { OrtDtype } from '../ort-types'

interface ElementType {
  readonly onnx: number
  /** Name in onnxruntime-common; null where the Node binding does not know the type. */
  readonly binding: string | null
  readonly sizeBytes: number
}

/** The element types by dtype. */
export const ORT_ELEMENT_TYPES = {
  F32: { onnx: 1, binding: 'float32', sizeBytes: 4 },
  U8: { onnx: 2, binding: 'uint8', sizeBytes: 1 },
  I8: { onnx: 3, binding: 'int8', sizeBytes: 1 },
  I32: { onnx: 6, binding: 'int32', sizeBytes: 4 },
  I64: { onnx: 7, binding: 'int64', sizeBytes: 8 },
  BOOL: { onnx: 9, binding: 'bool', sizeBytes: 1 },
  F16: { onnx: 10, binding: 'float16', sizeBytes: 2 },
  BF16: { onnx: 16, binding: null, sizeBytes: 2 },
} as const satisfies Readonly<Record<OrtDtype, ElementType>>

/** ONNX's own limit does not exist; a rank beyond this is a mistake, and shapes are read into buffers of this length. */
export const MAX_RANK = 32

/** The dtype of an ONNX element type number. Throws "runtime/unsupported-dtype". */
export function dtypeOfOnnx(onnx: number): OrtDtype {
  return find((type) => type.onnx === onnx, String(onnx))
}

/** The dtype of a type name of the Node binding. Throws "runtime/unsupported-dtype". */
export function dtypeOfBinding(name: string): OrtDtype {
  return find((type) => type.binding === name, name)
}

function find(matches: (type: ElementType) => boolean, found: string): OrtDtype {
  for (const dtype of DTYPES) if (matches(ORT_ELEMENT_TYPES[dtype])) return dtype
  throw engineError('runtime/unsupported-dtype', { dtype: found })
}

const DTYPES = ['F32', 'U8', 'I8', 'I32', 'I64', 'BOOL', 'F16', 'BF16'] as const satisfies readonly OrtDtype[]

/** Bytes that a tensor of this shape takes. Throws "runtime/bad-shape" for a rank, dimension or size that no buffer can have. */
export function tensorSizeBytes(options: { readonly dtype: OrtDtype; readonly shape: readonly number[] }): number {
  const { dtype, shape } = options
  const sizeBytes = shape.reduce((product, dimension) => product * dimension, ORT_ELEMENT_TYPES[dtype].sizeBytes)
  const possible = shape.length <= MAX_RANK && shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)
  if (!possible || !Number.isSafeInteger(sizeBytes)) throw engineError('runtime/bad-shape', { shape: [...shape] })
  return sizeBytes
}

// A small checkpoint with every dtype and every odd shape, for round trips.
import { DTYPE_BITS, type Dtype } from '../../../engine/tensor/dtype'
import { rawSafetensors, type TensorToWrite } from '../../support/safetensors-writer'

/** Deterministic bytes. */
function noise(sizeBytes: number, seed = 1): Uint8Array {
  let state = seed
  return Uint8Array.from({ length: sizeBytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

/** A tensor of noise. */
export function noiseTensor(name: string, dtype: Dtype, shape: readonly number[]): TensorToWrite {
  const elements = shape.reduce((product, size) => product * size, 1)
  const bytes = noise((elements * DTYPE_BITS[dtype]) / 8, name.length + elements)
  // A truth value is 0 or 1.
  return { name, dtype, shape, bytes: dtype === 'BOOL' ? bytes.map((byte) => byte & 1) : bytes }
}

/** Dtypes of every kind, a scalar, empty tensors, odd names. */
export function variedTensors(dtypes: readonly Dtype[]): readonly TensorToWrite[] {
  return [
    ...dtypes.map((dtype) => noiseTensor(`of.${dtype}`, dtype, [3, 2, 4])),
    noiseTensor('scalar', 'F32', []),
    noiseTensor('empty', 'F32', [0, 3]),
    noiseTensor('hollow', 'I64', [2, 0]),
    noiseTensor('0', 'F32', [5]),
    noiseTensor('__proto__', 'F32', [1]),
    noiseTensor('名前.重み "quoted"', 'F16', [7]),
    noiseTensor('long'.repeat(60), 'I32', [70_000]),
  ]
}

/** A file as the reference library writes it, so that a rewritten one can be compared byte for byte: largest elements first, then by name; the header filled up to 8. */
export function libraryFile(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>> = { format: 'pt' }): Uint8Array {
  const rank = Object.keys(DTYPE_BITS)
  const sorted = [...tensors].sort(
    (left, right) =>
      rank.indexOf(right.dtype) - rank.indexOf(left.dtype) || Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)),
  )
  let end = 0
  const entries = sorted.map(({ name, dtype, shape, bytes }) => {
    const start = end
    end += bytes.length
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [start, end] })}`
  })
  const header = Buffer.from(`{${[`"__metadata__":${JSON.stringify(metadata)}`, ...entries].join(',')}}`)
  const padding = ' '.repeat((8 - (header.length % 8)) % 8)
  return rawSafetensors(`${header.toString()}${padding}`, Buffer.concat(sorted.map(({ bytes }) => bytes)))
}

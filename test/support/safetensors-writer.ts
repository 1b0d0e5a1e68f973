// Writes safetensors files for tests: correct ones from tensors, and broken ones from any header text.
import type { Dtype } from '../../engine/tensor/dtype'

/** A tensor to write. */
export interface TensorToWrite {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** A file with the given header text and data, whatever they hold. */
export function rawSafetensors(header: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const headerBytes = new TextEncoder().encode(header)
  const file = new Uint8Array(8 + headerBytes.length + data.length)
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes.length), true)
  file.set(headerBytes, 8)
  file.set(data, 8 + headerBytes.length)
  return file
}

/** A correct file that holds the tensors in the order given. */
export function safetensorsFile(tensors: readonly TensorToWrite[], metadata?: Readonly<Record<string, string>>): Uint8Array {
  let offset = 0
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const start = offset
    offset += bytes.length
    return [name, { dtype, shape, data_offsets: [start, offset] }] as const
  })
  const data = new Uint8Array(offset)
  let position = 0
  for (const { bytes } of tensors) {
    data.set(bytes, position)
    position += bytes.length
  }
  const header = Object.fromEntries<unknown>([...(metadata ? [['__metadata__', metadata] as const] : []), ...entries])
  return rawSafetensors(JSON.stringify(header), data)
}

/** An F32 tensor of the values. */
export function f32Tensor(name: string, values: readonly number[], shape: readonly number[] = [values.length]): TensorToWrite {
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) }
}

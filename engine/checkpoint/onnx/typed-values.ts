// Values in the typed fields of a TensorProto, as little-endian bytes; and nibbles to bytes. Follows onnx.proto3 (ONNX 1.20).
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { packedVarints, type ValueRun } from './tensor-proto'

/** Bytes of all runs one after the other: floats and doubles are stored as they are handed out. */
export async function joinFixed(
  file: RandomAccessFile,
  runs: readonly ValueRun[],
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const target = new Uint8Array(sizeBytes)
  let position = 0
  for (const run of runs) {
    if (run.kind !== 'bytes' || position + run.sizeBytes > sizeBytes) continue
    target.set(await file.read({ offsetBytes: run.offsetBytes, sizeBytes: run.sizeBytes, ...(signal && { signal }) }), position)
    position += run.sizeBytes
  }
  return target
}

/** Varints of all runs as elements of `elementBytes`; null where there are not exactly as many as fit. */
export async function joinVarints(
  file: RandomAccessFile,
  runs: readonly ValueRun[],
  target: { readonly sizeBytes: number; readonly elementBytes: number; readonly signal?: AbortSignal },
): Promise<Uint8Array | null> {
  const { sizeBytes, elementBytes, signal } = target
  const bytes = new Uint8Array(sizeBytes)
  const view = new DataView(bytes.buffer)
  let position = 0
  for (const run of runs) {
    const values =
      run.kind === 'varint'
        ? [run.value]
        : packedVarints(await file.read({ offsetBytes: run.offsetBytes, sizeBytes: run.sizeBytes, ...(signal && { signal }) }))
    for (const value of values) {
      if (position + elementBytes > sizeBytes) return null
      if (elementBytes === 8) view.setBigUint64(position, value, true)
      else if (elementBytes === 4) view.setUint32(position, Number(value & 0xffffffffn), true)
      else if (elementBytes === 2) view.setUint16(position, Number(value & 0xffffn), true)
      else view.setUint8(position, Number(value & 0xffn))
      position += elementBytes
    }
  }
  return position === sizeBytes ? bytes : null
}

/** Two values of a byte, the lower half first, as one byte each; signed ones keep their sign. */
export function unpackNibbles(packed: Uint8Array, values: { readonly count: number; readonly signed: boolean }): Uint8Array {
  const target = new Uint8Array(values.count)
  for (let index = 0; index < values.count; index++) {
    const byte = packed[index >> 1] ?? 0
    const nibble = index % 2 === 0 ? byte & 15 : byte >> 4
    target[index] = values.signed && nibble > 7 ? nibble + 240 : nibble
  }
  return target
}

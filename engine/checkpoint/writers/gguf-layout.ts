// Layout of a GGUF file: header, metadata, tensor descriptions, aligned data. Follows the GGUF specification (ggml, docs/gguf.md), version 3, and gguf 0.19 (gguf_writer.py).
import { engineError } from '../../errors'
import { GGML_TYPES } from '../gguf/tensor-types'
import { MAX_NAME_BYTES } from '../gguf/limits'
import type { GgufEntries, GgufEntryValue } from './gguf-entries'
import type { FileLayout, OutputTensor, StoredDtype } from './file-layout'

const VERSION = 3
const ALIGNMENT_BYTES = 32
/** Numbers of the value types in the file. */
const TYPE = { u8: 0, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const
/** ggml has four dimensions. */
const MAX_RANK = 4

const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map(
  [...GGML_TYPES].map(([number, type]) => [type.kind === 'dtype' ? type.dtype : type.type, number]),
)

/** Whether GGUF can hold a dtype. */
export function isGgufDtype(dtype: StoredDtype): boolean {
  return TYPE_NUMBERS.has(dtype)
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}

function numbers(values: readonly number[], type: 'i32' | 'f32'): Uint8Array {
  const array = type === 'i32' ? Int32Array.from(values) : Float32Array.from(values)
  return new Uint8Array(array.buffer)
}

function encodeValue(value: GgufEntryValue): Uint8Array {
  switch (value.type) {
    case 'u32':
      return Buffer.concat([u32(TYPE.u32), u32(value.value)])
    case 'i32':
    case 'f32':
      return Buffer.concat([u32(TYPE[value.type]), numbers([value.value], value.type)])
    case 'bool':
      return Buffer.concat([u32(TYPE.bool), Uint8Array.of(value.value ? 1 : 0)])
    case 'string':
      return Buffer.concat([u32(TYPE.string), text(value.value)])
    case 'strings':
      return Buffer.concat([u32(TYPE.array), u32(TYPE.string), u64(value.values.length), ...value.values.map(text)])
    case 'u8s':
      return Buffer.concat([u32(TYPE.array), u32(TYPE.u8), u64(value.values.length), value.values])
    case 'i32s':
    case 'f32s': {
      const element = value.type === 'i32s' ? 'i32' : 'f32'
      return Buffer.concat([u32(TYPE.array), u32(TYPE[element]), u64(value.values.length), numbers(value.values, element)])
    }
  }
}

const aligned = (offsetBytes: number): number => Math.ceil(offsetBytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES

function checkTensor({ name, shape }: OutputTensor): void {
  const refuse = (reason: string): Error =>
    engineError('convert/name-not-in-format', { tensor: name.slice(0, 200), format: 'GGUF', reason })
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw refuse(`it is longer than ${MAX_NAME_BYTES} bytes`)
  if (name === '') throw refuse('it is empty')
  if (shape.length > MAX_RANK) throw refuse(`it has ${shape.length} dimensions; ggml has at most ${MAX_RANK}`)
}

/** Lays out a GGUF file. Throws "convert/name-not-in-format" for names and ranks that ggml does not have. */
export function layOutGguf(tensors: readonly OutputTensor[], options: { readonly ggufEntries?: GgufEntries }): FileLayout {
  const entries = options.ggufEntries ?? []
  let position = 0
  const placed = tensors.map((tensor) => {
    checkTensor(tensor)
    const offsetBytes = position
    position = aligned(position + tensor.sizeBytes)
    return { tensor, offsetBytes }
  })
  const descriptions = placed.map(({ tensor: { name, shape, dtype }, offsetBytes }) =>
    // A scalar is a vector of one: ggml has no tensors without a dimension.
    Buffer.concat([
      text(name),
      u32(Math.max(1, shape.length)),
      ...(shape.length === 0 ? [1] : shape.toReversed()).map(u64),
      u32(TYPE_NUMBERS.get(dtype) ?? 0),
      u64(offsetBytes),
    ]),
  )
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(VERSION),
    u64(tensors.length),
    u64(entries.length),
    ...entries.flatMap(([key, value]) => [text(key), encodeValue(value)]),
    ...descriptions,
  ])
  const dataStartBytes = aligned(header.length)
  // Zeros behind the last tensor: the file ends where the next one would begin.
  const last = placed.at(-1)
  const endBytes = last ? last.offsetBytes + last.tensor.sizeBytes : 0
  const tail = { offsetBytes: dataStartBytes + endBytes, bytes: new Uint8Array(position - endBytes) }
  return {
    sizeBytes: dataStartBytes + position,
    slots: placed.map(({ tensor, offsetBytes }) => ({ tensor, offsetBytes: dataStartBytes + offsetBytes, crcSeed: 0 })),
    hasChecksums: false,
    structure: () => [{ offsetBytes: 0, bytes: header }, ...(tail.bytes.length > 0 ? [tail] : [])],
  }
}

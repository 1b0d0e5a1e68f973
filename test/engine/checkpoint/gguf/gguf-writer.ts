// Writes GGUF files for tests: correct ones from values and tensors, and broken ones by overriding any number of the header.

/** A metadata value to write, with the number of its type. `raw` is written as it is. */
export type ValueToWrite =
  | { readonly type: 'u32'; readonly value: number }
  | { readonly type: 'u64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'f32'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'i32s'; readonly value: readonly number[] }
  | { readonly type: 'raw'; readonly typeNumber: number; readonly bytes: Uint8Array }

/** A tensor to write; `dimensions` as ggml orders them. `offset` overrides where the header says that it lies. */
export interface TensorToWrite {
  readonly name: string | Uint8Array
  readonly typeNumber: number
  readonly dimensions: readonly (number | bigint)[]
  readonly bytes: Uint8Array
  readonly offset?: bigint
  readonly rank?: number
}

/** A file to write. The counts override what is true. */
export interface GgufToWrite {
  readonly version?: number
  readonly littleEndian?: boolean
  readonly metadata?: readonly (readonly [key: string, value: ValueToWrite])[]
  readonly tensors?: readonly TensorToWrite[]
  readonly alignment?: number
  readonly tensorCount?: bigint
  readonly keyCount?: bigint
}

/** Appends numbers and strings in one byte order. */
export function ggufParts(littleEndian: boolean) {
  const parts: Uint8Array[] = []
  const number = (sizeBytes: number, write: (view: DataView) => void): void => {
    const bytes = new Uint8Array(sizeBytes)
    write(new DataView(bytes.buffer))
    parts.push(bytes)
  }
  const u32 = (value: number): void => number(4, (view) => view.setUint32(0, value, littleEndian))
  const i32 = (value: number): void => number(4, (view) => view.setInt32(0, value, littleEndian))
  const f32 = (value: number): void => number(4, (view) => view.setFloat32(0, value, littleEndian))
  const u64 = (value: number | bigint): void => number(8, (view) => view.setBigUint64(0, BigInt(value), littleEndian))
  const raw = (bytes: Uint8Array): void => void parts.push(bytes)
  const text = (value: string | Uint8Array): void => {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
    u64(bytes.length)
    raw(bytes)
  }
  return { u32, i32, f32, u64, raw, text, bytes: () => new Uint8Array(Buffer.concat(parts)) }
}

type Parts = ReturnType<typeof ggufParts>

function writeValue(parts: Parts, value: ValueToWrite): void {
  switch (value.type) {
    case 'u32':
      parts.u32(4)
      {
        parts.u32(value.value)
        return
      }
    case 'f32':
      parts.u32(6)
      {
        parts.f32(value.value)
        return
      }
    case 'bool':
      parts.u32(7)
      {
        parts.raw(Uint8Array.of(value.value ? 1 : 0))
        return
      }
    case 'string':
      parts.u32(8)
      {
        parts.text(value.value)
        return
      }
    case 'u64':
      parts.u32(10)
      {
        parts.u64(value.value)
        return
      }
    case 'strings':
      parts.u32(9)
      parts.u32(8)
      parts.u64(value.value.length)
      {
        value.value.forEach((entry) => parts.text(entry))
        return
      }
    case 'i32s':
      parts.u32(9)
      parts.u32(5)
      parts.u64(value.value.length)
      {
        value.value.forEach((entry) => parts.i32(entry))
        return
      }
    case 'raw':
      parts.u32(value.typeNumber)
      {
        parts.raw(value.bytes)
        return
      }
  }
}

/** The bytes of a GGUF file. */
export function ggufFile(file: GgufToWrite): Uint8Array {
  const { version = 3, littleEndian = true, metadata = [], tensors = [], alignment = 32 } = file
  const parts = ggufParts(littleEndian)
  parts.raw(new TextEncoder().encode('GGUF'))
  parts.u32(version)
  parts.u64(file.tensorCount ?? tensors.length)
  parts.u64(file.keyCount ?? metadata.length)
  for (const [key, value] of metadata) {
    parts.text(key)
    writeValue(parts, value)
  }
  let offset = 0
  const data: Uint8Array[] = []
  for (const tensor of tensors) {
    parts.text(tensor.name)
    parts.u32(tensor.rank ?? tensor.dimensions.length)
    for (const dimension of tensor.dimensions) parts.u64(dimension)
    parts.u32(tensor.typeNumber)
    parts.u64(tensor.offset ?? offset)
    const padded = new Uint8Array(Math.ceil(tensor.bytes.length / alignment) * alignment)
    padded.set(tensor.bytes)
    data.push(padded)
    offset += padded.length
  }
  const header = parts.bytes()
  const padding = new Uint8Array((alignment - (header.length % alignment)) % alignment)
  return new Uint8Array(Buffer.concat([header, padding, ...data]))
}

// Fields of the Protocol Buffers wire format, written. Follows the encoding of protobuf.dev (varints, length-delimited and 32-bit fields).

/** A growing buffer of fields. */
export interface ProtoWriter {
  readonly varint: (number: number, value: number) => void
  readonly float: (number: number, value: number) => void
  readonly bytes: (number: number, value: Uint8Array | string) => void
  readonly finish: () => Uint8Array
}

/** Makes an empty buffer. Numbers are whole and at least 0. */
export function createProtoWriter(): ProtoWriter {
  let buffer = new Uint8Array(256)
  let size = 0
  const reserve = (more: number): void => {
    if (size + more <= buffer.length) return
    const larger = new Uint8Array(Math.max(buffer.length * 2, size + more))
    larger.set(buffer)
    buffer = larger
  }
  const writeVarint = (value: number): void => {
    reserve(10)
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) buffer[size++] = (rest % 128) | 0x80
    buffer[size++] = rest
  }
  return {
    varint: (number, value) => {
      writeVarint(number * 8)
      writeVarint(value)
    },
    float: (number, value) => {
      writeVarint(number * 8 + 5)
      reserve(4)
      new DataView(buffer.buffer).setFloat32(size, value, true)
      size += 4
    },
    bytes: (number, value) => {
      const content = typeof value === 'string' ? new TextEncoder().encode(value) : value
      writeVarint(number * 8 + 2)
      writeVarint(content.length)
      reserve(content.length)
      buffer.set(content, size)
      size += content.length
    },
    finish: () => buffer.slice(0, size),
  }
}

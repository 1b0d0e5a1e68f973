// Protobuf wire format reader: the fields of one message in file order. Follows protobuf.dev/programming-guides/encoding (proto2 and proto3).
import { engineError } from '../errors'

/** One field of a message as it lies on the wire. `offsetBytes` is where its tag starts. */
export type ProtoField =
  | { readonly number: number; readonly wire: 'varint'; readonly offsetBytes: number; readonly value: bigint }
  | { readonly number: number; readonly wire: 'fixed64'; readonly offsetBytes: number; readonly bytes: Uint8Array }
  | { readonly number: number; readonly wire: 'bytes'; readonly offsetBytes: number; readonly bytes: Uint8Array }
  | { readonly number: number; readonly wire: 'fixed32'; readonly offsetBytes: number; readonly bytes: Uint8Array }

/** Field numbers end at 2^29 - 1 by the specification. */
const MAX_FIELD_NUMBER = 0x1fffffff
/** A 64-bit varint has at most ten bytes. */
const MAX_VARINT_BYTES = 10

/**
 * Iterates over the fields of one message; sub-messages are `bytes` fields, read by calling this again. Byte views share the input's memory.
 * Throws "bytes/protobuf-malformed" for a truncated or impossible field, a deprecated group, or more than `maxFields` fields
 * (default 16 M: above any vocabulary, below what would exhaust memory).
 */
export function* readProtoFields(
  message: Uint8Array,
  options: { readonly what: string; readonly maxFields?: number },
): Generator<ProtoField, void, undefined> {
  const { what, maxFields = 0x100_0000 } = options
  const malformed = (offsetBytes: number, reason: string) => engineError('bytes/protobuf-malformed', { what, offsetBytes, reason })
  let position = 0
  let count = 0

  const varint = (): bigint => {
    const start = position
    // The low 28 bits stay in a number: most varints are short and bigints are slow.
    let low = 0
    for (let index = 0; index < 4; index++) {
      const byte = message[position++]
      if (byte === undefined) throw malformed(start, 'a varint is cut off')
      low |= (byte & 0x7f) << (7 * index)
      if (byte < 0x80) return BigInt(low)
    }
    let value = BigInt(low)
    for (let index = 4; index < MAX_VARINT_BYTES; index++) {
      const byte = message[position++]
      if (byte === undefined) throw malformed(start, 'a varint is cut off')
      value |= BigInt(byte & 0x7f) << BigInt(7 * index)
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw malformed(start, 'a varint is longer than ten bytes')
  }

  const take = (sizeBytes: number, offsetBytes: number): Uint8Array => {
    const remaining = message.length - position
    if (sizeBytes > remaining) throw malformed(offsetBytes, `a field of ${sizeBytes} bytes has only ${remaining} left`)
    const bytes = message.subarray(position, position + sizeBytes)
    position += sizeBytes
    return bytes
  }

  while (position < message.length) {
    const offsetBytes = position
    if (++count > maxFields) throw malformed(offsetBytes, `more than ${maxFields} fields`)
    const tag = varint()
    const number = Number(tag >> 3n)
    if (number < 1 || number > MAX_FIELD_NUMBER) throw malformed(offsetBytes, `field number ${number} is outside 1 to ${MAX_FIELD_NUMBER}`)
    switch (Number(tag & 7n)) {
      case 0:
        yield { number, wire: 'varint', offsetBytes, value: varint() }
        break
      case 1:
        yield { number, wire: 'fixed64', offsetBytes, bytes: take(8, offsetBytes) }
        break
      case 2: {
        const length = varint()
        if (length > BigInt(message.length)) throw malformed(offsetBytes, `a field of ${length} bytes in a message of ${message.length}`)
        yield { number, wire: 'bytes', offsetBytes, bytes: take(Number(length), offsetBytes) }
        break
      }
      case 5:
        yield { number, wire: 'fixed32', offsetBytes, bytes: take(4, offsetBytes) }
        break
      default:
        throw malformed(offsetBytes, `wire type ${tag & 7n} is not one of 0, 1, 2, 5`)
    }
  }
}

/** The float of a fixed32 field. */
export function protoFloat(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat32(0, true)
}

/** The double of a fixed64 field. */
export function protoDouble(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(0, true)
}

/** A varint read as int32, int64 or enum: two's complement in 64 bits. */
export function protoInt(value: bigint): number {
  return Number(BigInt.asIntN(64, value))
}

/** The text of a string field. Throws "bytes/protobuf-malformed" when it is not UTF-8. */
export function protoString(bytes: Uint8Array, options: { readonly what: string }): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw engineError('bytes/protobuf-malformed', { what: options.what, offsetBytes: 0, reason: 'a string is not UTF-8' })
  }
}

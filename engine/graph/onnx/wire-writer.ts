// Protobuf wire format writer: one message as a list of byte pieces. Follows protobuf.dev/programming-guides/encoding (proto2 and proto3).

/** A message being written; `bytes()` joins what was added so far. */
export interface MessageWriter {
  /** int32, int64 and enum fields; a negative number takes ten bytes, as the format asks. */
  readonly int: (field: number, value: number | bigint) => void
  /** A float field (fixed32). */
  readonly float: (field: number, value: number) => void
  readonly text: (field: number, value: string) => void
  readonly bytes: (field: number, value: Uint8Array) => void
  /** A sub-message, written by the function given. */
  readonly message: (field: number, write: (child: MessageWriter) => void) => void
  readonly finish: () => Uint8Array
}

const WIRE_VARINT = 0
const WIRE_LENGTH = 2
const WIRE_FIXED32 = 5

const encoder = new TextEncoder()

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value))
  const out: number[] = []
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  out.push(Number(rest))
  return Uint8Array.from(out)
}

/** Starts an empty message. */
export function createMessageWriter(): MessageWriter {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  const push = (piece: Uint8Array): void => {
    pieces.push(piece)
    sizeBytes += piece.length
  }
  const tag = (field: number, wire: number): void => push(varint(field * 8 + wire))

  const bytes = (field: number, value: Uint8Array): void => {
    tag(field, WIRE_LENGTH)
    push(varint(value.length))
    push(value)
  }

  return {
    bytes,
    int: (field, value) => {
      tag(field, WIRE_VARINT)
      push(varint(value))
    },
    float: (field, value) => {
      tag(field, WIRE_FIXED32)
      const word = new Uint8Array(4)
      new DataView(word.buffer).setFloat32(0, value, true)
      push(word)
    },
    text: (field, value) => bytes(field, encoder.encode(value)),
    message: (field, write) => {
      const child = createMessageWriter()
      write(child)
      bytes(field, child.finish())
    },
    finish: () => {
      const out = new Uint8Array(sizeBytes)
      let offset = 0
      for (const piece of pieces) {
        out.set(piece, offset)
        offset += piece.length
      }
      return out
    },
  }
}

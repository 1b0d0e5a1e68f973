// Writes tokenizer.model files for the tests, valid or broken as asked.

/** One piece; the type is 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. */
export interface PieceSpec {
  readonly piece: string | Uint8Array
  readonly score?: number
  readonly type?: number
}

export interface ModelFileSpec {
  readonly pieces: readonly PieceSpec[]
  readonly trainer?: Uint8Array | null
  readonly normalizer?: Uint8Array | null
}

/** A varint field. */
export function varintField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varint((number << 3) | 0), ...varint(value)])
}

/** A field of bytes, a text or a message. */
export function bytesField(number: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  return concat([Uint8Array.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes])
}

/** Bytes of a model; BPE with byte_fallback off and no character map unless the specs say otherwise. */
export function modelFile(spec: ModelFileSpec): Uint8Array {
  const trainer = spec.trainer === undefined ? varintField(3, 2) : spec.trainer
  const normalizer = spec.normalizer === undefined ? bytesField(1, 'identity') : spec.normalizer
  return concat([
    ...spec.pieces.map((piece) => bytesField(1, pieceBytes(piece))),
    ...(trainer ? [bytesField(2, trainer)] : []),
    ...(normalizer ? [bytesField(3, normalizer)] : []),
  ])
}

/** Joins byte arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}

function pieceBytes({ piece, score = 0, type = 1 }: PieceSpec): Uint8Array {
  const number = new Uint8Array(5)
  number[0] = (2 << 3) | 5
  new DataView(number.buffer).setFloat32(1, score, true)
  return concat([bytesField(1, piece), number, varintField(3, type)])
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return bytes
}

// Variants of a tokenizer.model for the library to load: other normalizer flags, other merge order. Protobuf lets later fields win over earlier ones, so both are appended.
import { readProtoFields } from '../bytes/protobuf'

/** A normalizer_spec that is merged into the file's own. Its fields: 2 character map, 3 add_dummy_prefix, 4 remove_extra_whitespaces. */
const NORMALIZER_PATCHES = {
  'as-file': [],
  'no-dummy-prefix': [0x1a, 2, 0x18, 0],
  'charsmap-only': [0x1a, 4, 0x18, 0, 0x20, 0],
  none: [0x1a, 6, 0x12, 0, 0x18, 0, 0x20, 0],
} as const

export interface ModelVariant {
  /** How a text is normalized before it is cut: as the file says, without its dummy prefix, with its character map alone, or not at all. */
  readonly normalization: keyof typeof NORMALIZER_PATCHES
  /**
   * Pieces merge in the order of their scores, or of their ids. Transformers 5.18 takes the ids when it converts a file; the two differ
   * where pieces were put in by hand, such as Llama 2's runs of spaces, whose score is the lowest and whose ids are small.
   */
  readonly mergeOrder: 'score' | 'id'
}

/** A score field is five bytes; with it, the length before a piece may need one byte more. */
const PIECE_GROWTH_BYTES = 6
/** Room for the normalizer patch. */
const TAIL_BYTES = 16

/** Bytes of the variant of a model. `file.bytes` must have been accepted by readSentencePieceModel, which counted its pieces. */
export function encodeModelVariant(file: { readonly bytes: Uint8Array; readonly pieceCount: number }, variant: ModelVariant): Uint8Array {
  const target = new Uint8Array(file.bytes.length + file.pieceCount * PIECE_GROWTH_BYTES + TAIL_BYTES)
  const view = new DataView(target.buffer)
  let position = 0
  let id = 0
  for (const field of readProtoFields(file.bytes, { what: 'tokenizer.model' })) {
    // Self-test samples hold for the file as it was, so only pieces (1), trainer (2) and normalizer (3) are kept.
    if (field.wire !== 'bytes' || field.number > 3) continue
    const scored = field.number === 1 && variant.mergeOrder === 'id'
    target[position++] = (field.number << 3) | 2
    let rest = field.bytes.length + (scored ? 5 : 0)
    for (; rest > 0x7f; rest >>>= 7) target[position++] = (rest & 0x7f) | 0x80
    target[position++] = rest
    target.set(field.bytes, position)
    position += field.bytes.length
    if (!scored) continue
    // Ids below 2^24 are exact as float32, and no vocabulary has more pieces.
    target[position] = 0x15
    view.setFloat32(position + 1, -id++, true)
    position += 5
  }
  const patch = NORMALIZER_PATCHES[variant.normalization]
  target.set(patch, position)
  return target.subarray(0, position + patch.length)
}

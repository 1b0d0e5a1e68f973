// Reader of tokenizer.model, the ModelProto of SentencePiece 0.2 (sentencepiece_model.proto). Accepts what the C++ library accepts, and says why it refuses.
import { protoFloat, protoInt, protoString, readProtoFields, type ProtoField } from '../bytes/protobuf'
import { EngineError, engineError } from '../errors'

/** The largest public vocabularies (a quarter of a million pieces) are 5 MB long. */
export const MAX_MODEL_FILE_BYTES = 64 * 1024 * 1024
/** Four times the largest public vocabulary. */
export const MAX_PIECES = 1 << 20
/** SentencePiece trains pieces of at most 16 characters by default; symbols added by hand may be longer, whole texts may not. */
export const MAX_PIECE_BYTES = 4096

/** Kinds of pieces, with the numbers of the file format. */
export const PIECE_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

// One decoder for all pieces: making one takes longer than using it.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const ALGORITHMS = ['unigram', 'bpe', 'word', 'char'] as const

/** What a tokenizer.model says. `types[id]` is one of PIECE_TYPE; ids that the file does not define are null. */
export interface SentencePieceModel {
  readonly algorithm: (typeof ALGORITHMS)[number]
  /** Spaces end words instead of beginning them. */
  readonly whitespaceAsSuffix: boolean
  readonly pieces: readonly string[]
  readonly scores: Float32Array
  readonly types: Uint8Array
  readonly idOfPiece: ReadonlyMap<string, number>
  readonly unkId: number
  readonly bosId: number | null
  readonly eosId: number | null
  readonly padId: number | null
  /** What decoding writes for the unknown piece. */
  readonly unkSurface: string
  readonly byteFallback: boolean
  readonly normalizer: NormalizerSpec
}

/** The normalizer flags of a tokenizer.model. */
interface NormalizerSpec {
  readonly addDummyPrefix: boolean
  readonly removeExtraWhitespaces: boolean
  readonly escapeWhitespaces: boolean
  /** False when the text is taken as it is: the file has no character map. */
  readonly hasCharsmap: boolean
  /** The compiled table of what characters become; null where there is none. */
  readonly charsmap: Uint8Array | null
}

interface TrainerSpec {
  modelType: number
  byteFallback: boolean
  whitespaceAsSuffix: boolean
  unkSurface: string
  bosPiece: string
  eosPiece: string
  padPiece: string
}

/**
 * Reads and validates the bytes of a tokenizer.model.
 * Throws "tokenizer/corrupt-model", "tokenizer/limit-exceeded", "tokenizer/unsupported".
 */
export function readSentencePieceModel(bytes: Uint8Array, path: string): SentencePieceModel {
  try {
    return readModel(bytes, path)
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'bytes/protobuf-malformed') throw error
    throw engineError('tokenizer/corrupt-model', { path, reason: error.message.replace(/\.$/, '') }, error)
  }
}

function readModel(bytes: Uint8Array, path: string): SentencePieceModel {
  const corrupt = (reason: string) => engineError('tokenizer/corrupt-model', { path, reason })
  const pieces: string[] = []
  const scores: number[] = []
  const types: number[] = []
  let trainer: TrainerSpec | undefined
  let normalizer: NormalizerSpec | undefined
  for (const field of readProtoFields(bytes, { what: path })) {
    if (field.wire !== 'bytes') continue
    if (field.number === 1) {
      if (pieces.length >= MAX_PIECES) {
        throw engineError('tokenizer/limit-exceeded', { path, what: 'the number of pieces', found: pieces.length + 1, max: MAX_PIECES })
      }
      const piece = readPiece(field.bytes, path)
      pieces.push(piece.text)
      scores.push(piece.score)
      types.push(piece.type)
    } else if (field.number === 2) trainer = readTrainerSpec(field.bytes, path)
    else if (field.number === 3) normalizer = readNormalizerSpec(field.bytes, path)
    else if (field.number === 5) refuseDenormalizer(field.bytes, path)
  }
  // Every trainer writes both; a file cut off between two fields lacks them.
  if (!trainer) throw corrupt('it has no trainer_spec, as a file that was cut off')
  if (!normalizer) throw corrupt('it has no normalizer_spec, as a file that was cut off')
  const algorithm = ALGORITHMS[trainer.modelType - 1]
  if (algorithm === undefined) throw engineError('tokenizer/unsupported', { path, what: `SentencePiece model type ${trainer.modelType}` })

  const typeOfId = Uint8Array.from(types)
  const { idOfPiece, unkId } = checkPieces({ pieces, scores, types: typeOfId, byteFallback: trainer.byteFallback }, path)
  const controlId = (piece: string): number | null => {
    const id = idOfPiece.get(piece)
    return id !== undefined && typeOfId[id] === PIECE_TYPE.control ? id : null
  }
  return {
    algorithm,
    whitespaceAsSuffix: trainer.whitespaceAsSuffix,
    pieces,
    scores: Float32Array.from(scores),
    types: typeOfId,
    idOfPiece,
    unkId,
    bosId: controlId(trainer.bosPiece),
    eosId: controlId(trainer.eosPiece),
    padId: controlId(trainer.padPiece),
    unkSurface: trainer.unkSurface,
    byteFallback: trainer.byteFallback,
    normalizer,
  }
}

function readPiece(bytes: Uint8Array, path: string): { text: string; score: number; type: number } {
  let text = ''
  let score = 0
  let type: number = PIECE_TYPE.normal
  for (const field of readProtoFields(bytes, { what: path })) {
    if (field.number === 1 && field.wire === 'bytes') {
      if (field.bytes.length > MAX_PIECE_BYTES) {
        throw engineError('tokenizer/limit-exceeded', {
          path,
          what: 'the length of a piece in bytes',
          found: field.bytes.length,
          max: MAX_PIECE_BYTES,
        })
      }
      text = pieceText(field.bytes, path)
    } else if (field.number === 2 && field.wire === 'fixed32') score = protoFloat(field.bytes)
    else if (field.number === 3 && field.wire === 'varint') type = protoInt(field.value)
  }
  if (type < PIECE_TYPE.normal || type > PIECE_TYPE.byte) {
    throw engineError('tokenizer/corrupt-model', { path, reason: `the piece "${text.slice(0, 100)}" has the unknown type ${type}` })
  }
  return { text, score, type }
}

function pieceText(bytes: Uint8Array, path: string): string {
  try {
    return UTF8.decode(bytes)
  } catch (cause) {
    throw engineError('tokenizer/corrupt-model', { path, reason: 'a piece is not UTF-8' }, cause)
  }
}

function readTrainerSpec(bytes: Uint8Array, path: string): TrainerSpec {
  const spec: TrainerSpec = {
    modelType: 1,
    byteFallback: false,
    whitespaceAsSuffix: false,
    unkSurface: ' \u2047 ',
    bosPiece: '<s>',
    eosPiece: '</s>',
    padPiece: '<pad>',
  }
  for (const field of readProtoFields(bytes, { what: path })) {
    if (field.wire === 'varint') {
      if (field.number === 3) spec.modelType = protoInt(field.value)
      else if (field.number === 24) spec.whitespaceAsSuffix = field.value !== 0n
      else if (field.number === 35) spec.byteFallback = field.value !== 0n
    } else if (field.wire === 'bytes') {
      if (field.number === 44) spec.unkSurface = protoString(field.bytes, { what: path })
      else if (field.number === 46) spec.bosPiece = pieceName(field.bytes, { path, fallback: spec.bosPiece })
      else if (field.number === 47) spec.eosPiece = pieceName(field.bytes, { path, fallback: spec.eosPiece })
      else if (field.number === 48) spec.padPiece = pieceName(field.bytes, { path, fallback: spec.padPiece })
    }
  }
  return spec
}

/** The library takes an empty name as the default one. */
function pieceName(bytes: Uint8Array, options: { readonly path: string; readonly fallback: string }): string {
  return bytes.length === 0 ? options.fallback : protoString(bytes, { what: options.path })
}

function readNormalizerSpec(bytes: Uint8Array, path: string): NormalizerSpec {
  let addDummyPrefix = true
  let removeExtraWhitespaces = true
  let escapeWhitespaces = true
  let charsmap: Uint8Array | null = null
  const flag = (field: ProtoField & { wire: 'varint' }) => field.value !== 0n
  for (const field of readProtoFields(bytes, { what: path })) {
    if (field.number === 2 && field.wire === 'bytes' && field.bytes.length > 0) {
      checkCharsmap(field.bytes, path)
      charsmap = field.bytes
    } else if (field.wire === 'varint') {
      if (field.number === 3) addDummyPrefix = flag(field)
      else if (field.number === 4) removeExtraWhitespaces = flag(field)
      else if (field.number === 5) escapeWhitespaces = flag(field)
    }
  }
  return { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces, hasCharsmap: charsmap !== null, charsmap }
}

/** A character map is the byte length of a double-array trie, the trie, and the replacement texts. */
function checkCharsmap(bytes: Uint8Array, path: string): void {
  const trieBytes = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (bytes.length <= 4 || trieBytes % 4 !== 0 || trieBytes >= bytes.length - 4) {
    throw engineError('tokenizer/corrupt-model', {
      path,
      reason: `its character map of ${bytes.length} bytes claims a trie of ${trieBytes} bytes`,
    })
  }
}

function refuseDenormalizer(bytes: Uint8Array, path: string): void {
  for (const field of readProtoFields(bytes, { what: path })) {
    if (field.number === 2 && field.wire === 'bytes' && field.bytes.length > 0) {
      throw engineError('tokenizer/unsupported', { path, what: 'a SentencePiece denormalizer' })
    }
  }
}

interface PieceTable {
  readonly pieces: readonly string[]
  readonly scores: readonly number[]
  readonly types: Uint8Array
  readonly byteFallback: boolean
}

/** The checks of the library's InitializePieces, and that every score orders. */
function checkPieces(table: PieceTable, path: string): { idOfPiece: Map<string, number>; unkId: number } {
  const corrupt = (reason: string) => engineError('tokenizer/corrupt-model', { path, reason })
  const idOfPiece = new Map<string, number>()
  const bytesSeen = new Set<number>()
  let unkId: number | undefined
  for (const [id, piece] of table.pieces.entries()) {
    if (piece === '') throw corrupt(`piece ${id} is empty`)
    if (Number.isNaN(table.scores[id])) throw corrupt(`the score of piece ${id} is not a number`)
    const first = idOfPiece.get(piece)
    if (first !== undefined) throw corrupt(`pieces ${first} and ${id} are both "${piece.slice(0, 100)}"`)
    idOfPiece.set(piece, id)
    const type = table.types[id] ?? 0
    if (type === PIECE_TYPE.unknown) {
      if (unkId !== undefined) throw corrupt(`pieces ${unkId} and ${id} are both the unknown piece`)
      unkId = id
    } else if (type === PIECE_TYPE.byte) {
      if (!table.byteFallback) throw corrupt(`piece ${id} stands for a byte, but byte_fallback is off`)
      const byte = byteOfPiece(piece)
      if (byte === null) throw corrupt(`piece ${id} stands for a byte and is written "${piece.slice(0, 100)}" instead of "<0x..>"`)
      bytesSeen.add(byte)
    }
  }
  if (unkId === undefined) throw corrupt('it has no unknown piece')
  if (table.byteFallback && bytesSeen.size !== 256) throw corrupt(`byte_fallback is on, but ${bytesSeen.size} of 256 byte pieces exist`)
  return { idOfPiece, unkId }
}

/** The byte a piece such as `<0x0A>` stands for, or null. */
export function byteOfPiece(piece: string): number | null {
  return /^<0x[0-9A-F]{2}>$/.test(piece) ? Number.parseInt(piece.slice(3, 5), 16) : null
}

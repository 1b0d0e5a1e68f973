// Broken and hostile tokenizer.model files: every one is refused with a code.
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EngineError } from '../../../engine/errors'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import { MAX_MODEL_FILE_BYTES, MAX_PIECE_BYTES, MAX_PIECES, readSentencePieceModel } from '../../../engine/tokenizer/sentencepiece-model'
import { fixturePath } from './golden'
import { bytesField, concat, modelFile, varintField, type PieceSpec } from './model-file'

const UNKNOWN: PieceSpec = { piece: '<unk>', type: 2 }
const tiny = new Uint8Array(readFileSync(fixturePath('tiny.model')))

function codeOf(bytes: Uint8Array): string {
  try {
    readSentencePieceModel(bytes, 'tokenizer.model')
    return 'accepted'
  } catch (error) {
    if (error instanceof EngineError) return error.code
    throw error
  }
}

const bytePieces = (count: number): PieceSpec[] =>
  Array.from({ length: count }, (_, byte) => ({ piece: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, type: 6 }))
const byteFallback = concat([varintField(3, 2), varintField(35, 1)])

describe('readSentencePieceModel', () => {
  it('reads pieces, types, scores, flags and the ids of control pieces', () => {
    const model = readSentencePieceModel(tiny, 'tokenizer.model')
    expect(model).toMatchObject({ algorithm: 'bpe', unkId: 0, bosId: 1, eosId: 2, padId: null, byteFallback: true, unkSurface: ' \u2047 ' })
    expect(model.normalizer).toEqual({
      addDummyPrefix: true,
      removeExtraWhitespaces: false,
      escapeWhitespaces: true,
      hasCharsmap: false,
      charsmap: null,
    })
    expect(model.pieces).toHaveLength(420)
    expect([model.pieces[3], model.types[3], model.types[1]]).toEqual(['<0x00>', 6, 3])
    expect(model.scores[260]).toBe(-1)
  })

  it('accepts a minimal model', () => {
    expect(codeOf(modelFile({ pieces: [UNKNOWN, { piece: 'a' }] }))).toBe('accepted')
    expect(codeOf(modelFile({ pieces: [UNKNOWN, ...bytePieces(256)], trainer: byteFallback }))).toBe('accepted')
  })

  it.each([
    ['an empty file', new Uint8Array()],
    ['text', new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 499723\n')],
    ['no trainer_spec', modelFile({ pieces: [UNKNOWN], trainer: null })],
    ['no normalizer_spec', modelFile({ pieces: [UNKNOWN], normalizer: null })],
    ['no unknown piece', modelFile({ pieces: [{ piece: 'a' }] })],
    ['two unknown pieces', modelFile({ pieces: [UNKNOWN, { piece: '<unk2>', type: 2 }] })],
    ['an empty piece', modelFile({ pieces: [UNKNOWN, { piece: '' }] })],
    ['a piece twice', modelFile({ pieces: [UNKNOWN, { piece: 'a' }, { piece: 'a' }] })],
    ['a piece that is not UTF-8', modelFile({ pieces: [UNKNOWN, { piece: Uint8Array.of(0xff, 0x41) }] })],
    ['a type that does not exist', modelFile({ pieces: [UNKNOWN, { piece: 'a', type: 257 }] })],
    ['a score that is not a number', modelFile({ pieces: [UNKNOWN, { piece: 'a', score: Number.NaN }] })],
    ['a byte piece without byte_fallback', modelFile({ pieces: [UNKNOWN, ...bytePieces(1)] })],
    ['byte_fallback without all bytes', modelFile({ pieces: [UNKNOWN, ...bytePieces(255)], trainer: byteFallback })],
    ['a byte piece of another form', modelFile({ pieces: [UNKNOWN, { piece: '<0xg0>', type: 6 }], trainer: byteFallback })],
    ['a character map of two bytes', modelFile({ pieces: [UNKNOWN], normalizer: bytesField(2, Uint8Array.of(1, 2)) })],
    [
      'a character map whose trie is longer than itself',
      modelFile({ pieces: [UNKNOWN], normalizer: bytesField(2, Uint8Array.of(0, 1, 0, 0, 9, 9, 9, 9)) }),
    ],
  ])('refuses %s', (_, bytes) => {
    expect(codeOf(bytes)).toBe('tokenizer/corrupt-model')
  })

  it.each([
    ['a model of a fifth type', modelFile({ pieces: [UNKNOWN], trainer: varintField(3, 5) })],
    ['a denormalizer', concat([modelFile({ pieces: [UNKNOWN] }), bytesField(5, bytesField(2, Uint8Array.of(1)))])],
  ])('says that %s is not supported', (_, bytes) => {
    expect(codeOf(bytes)).toBe('tokenizer/unsupported')
  })

  it('refuses a piece longer than the limit', () => {
    expect(codeOf(modelFile({ pieces: [UNKNOWN, { piece: 'a'.repeat(MAX_PIECE_BYTES + 1) }] }))).toBe('tokenizer/limit-exceeded')
  })

  it('refuses more pieces than the limit', () => {
    const piece = bytesField(1, bytesField(1, 'a'))
    const bytes = new Uint8Array(piece.length * (MAX_PIECES + 1))
    for (let index = 0; index <= MAX_PIECES; index++) bytes.set(piece, index * piece.length)
    expect(codeOf(bytes)).toBe('tokenizer/limit-exceeded')
  })

  it('refuses a file cut off anywhere before its last field', () => {
    const whole = readSentencePieceModel(tiny, 'tokenizer.model')
    for (let length = 0; length < tiny.length; length += 7) {
      const bytes = tiny.subarray(0, length)
      if (codeOf(bytes) === 'accepted') expect(readSentencePieceModel(bytes, 'tokenizer.model')).toEqual(whole)
      else expect(codeOf(bytes)).toBe('tokenizer/corrupt-model')
    }
  })

  it('never fails without a code, whatever byte is wrong', () => {
    fc.assert(
      fc.property(fc.nat(tiny.length - 1), fc.integer({ min: 1, max: 255 }), (position, mask) => {
        const bytes = tiny.slice()
        bytes[position] = (bytes[position] ?? 0) ^ mask
        expect(codeOf(bytes)).toMatch(/^(accepted|tokenizer\/.*)$/)
      }),
      { numRuns: 300 },
    )
  })
})

describe('loadTokenizer on a broken tokenizer.model', () => {
  it('refuses corrupt bytes and a file beyond the limit, and names what is missing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'))
    const path = join(folder, 'tokenizer.model')
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: 'tokenizer/missing' })
    writeFileSync(path, tiny.subarray(0, 3000))
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: 'tokenizer/corrupt-model' })
    truncateSync(path, MAX_MODEL_FILE_BYTES + 1)
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: 'bytes/file-too-large' })
    await expect(loadTokenizer(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'bytes/not-found' })
    rmSync(folder, { recursive: true })
  })
})

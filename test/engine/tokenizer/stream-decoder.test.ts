// Streaming: deltas joined equal the one-shot decode, no delta splits a character, and little is held back.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import type { Tokenizer } from '../../../engine/tokenizer/types'
import { createUtf8Stream } from '../../../engine/tokenizer/utf8-stream'
import { fixturePath } from './golden'

/** Ids of the tiny vocabulary: 0 to 2 special, 3 to 258 bytes, then pieces; 3 of each kind are likely to meet. */
const anyIds = fc.array(fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 3, max: 258 }), fc.integer({ min: 259, max: 425 })), {
  maxLength: 40,
})

function deltasOf(tokenizer: Tokenizer, options: { readonly ids: readonly number[]; readonly skipSpecial: boolean }): string[] {
  const decoder = tokenizer.streamDecoder({ skipSpecial: options.skipSpecial })
  return [...options.ids.map((id) => decoder.push(id)), decoder.flush()]
}

describe('streamDecoder', () => {
  it('gives deltas that joined equal decode, for any ids', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    fc.assert(
      fc.property(anyIds, fc.boolean(), (ids, skipSpecial) => {
        expect(deltasOf(tokenizer, { ids, skipSpecial }).join('')).toBe(tokenizer.decode(ids, { skipSpecial }))
      }),
      { numRuns: 500 },
    )
  })

  it('gives back any text, whole characters at a time', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (text) => {
        const ids = tokenizer.encode(text, { addSpecial: false, parseSpecial: false })
        const deltas = deltasOf(tokenizer, { ids, skipSpecial: true })
        for (const delta of deltas) expect(delta).not.toMatch(/\p{Surrogate}/u)
        // The marker of a space reads as a space, in this format as in the library.
        expect(deltas.join('')).toBe(text.replaceAll('\u2581', ' '))
      }),
      { numRuns: 300 },
    )
  })

  it('holds back at most three bytes', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    const decoder = tokenizer.streamDecoder({ skipSpecial: true })
    // The bytes of an emoji, over and over: text must come with every fourth.
    const bytes = [...new TextEncoder().encode('😀')].map((byte) => byte + 3)
    const deltas = Array.from({ length: 40 }, (_, index) => decoder.push(bytes[index % 4] ?? 0))
    expect(deltas.filter((_, index) => index % 4 === 3)).toEqual(Array.from({ length: 10 }, () => '😀'))
    // A byte that continues nothing is not held at all.
    expect(decoder.push(0x80 + 3)).toBe('\ufffd')
  })

  it('drops only the space that encoding put before the text', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    const ids = tokenizer.encode('  Hello  you', { addSpecial: false, parseSpecial: false })
    expect(deltasOf(tokenizer, { ids, skipSpecial: true }).join('')).toBe('  Hello  you')
  })
})

describe('createUtf8Stream', () => {
  it('decodes valid UTF-8 as TextDecoder does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const stream = createUtf8Stream()
        const bytes = new TextEncoder().encode(text)
        expect([...bytes].map((byte) => stream.push(byte)).join('') + stream.flush()).toBe(
          new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
        )
      }),
    )
  })

  it.each([
    ['a cut-off character', [0xf0, 0x9f, 0x98], '\ufffd\ufffd\ufffd'],
    ['a character cut off by a letter', [0xe4, 0xbd, 0x41], '\ufffd\ufffdA'],
    ['an overlong slash', [0xc0, 0xaf], '\ufffd\ufffd'],
    ['a surrogate', [0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd'],
    ['beyond the last code point', [0xf4, 0x90, 0x80, 0x80], '\ufffd\ufffd\ufffd\ufffd'],
    ['bytes that never occur', [0xff, 0xfe], '\ufffd\ufffd'],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
  ])('writes %s as the library does', (_, bytes, expected) => {
    const stream = createUtf8Stream()
    expect(bytes.map((byte) => stream.push(byte)).join('') + stream.flush()).toBe(expected)
  })

  it('is fed by every file of the fixtures without an error', () => {
    const stream = createUtf8Stream()
    const text = [...readFileSync(fixturePath('tiny.model'))].map((byte) => stream.push(byte)).join('') + stream.flush()
    expect(text).not.toMatch(/\p{Surrogate}/u)
  })
})

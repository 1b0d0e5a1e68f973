// Cutting a text at added tokens: the rules of the Rust library's AddedVocabulary.
import { describe, expect, it } from 'vitest'
import { createSplitter, type NumberedToken } from '../../../engine/tokenizer/added-tokens'

function token(id: number, content: string, flags: Partial<NumberedToken> = {}): NumberedToken {
  return { id, content, special: true, normalized: false, lstrip: false, rstrip: false, singleWord: false, ...flags }
}

function split(tokens: readonly NumberedToken[], text: string, parseSpecial = true): (string | number)[] {
  const splitter = createSplitter({ path: 'tokenizer.json', tokens, normalize: (part) => part.toLowerCase() })
  return splitter(text, { parseSpecial }).map((part) => (part.kind === 'token' ? part.id : part.text))
}

describe('createSplitter', () => {
  it('prefers the longest of the leftmost tokens', () => {
    expect(split([token(1, '<a>'), token(2, '<a><b>'), token(3, 'a>')], 'x<a><b><a>')).toEqual(['x', 2, 1])
  })

  it('leaves special tokens in the text unless asked, and others never', () => {
    const tokens = [token(1, '<s>'), token(2, '<tool>', { special: false })]
    expect(split(tokens, '<s>x<tool>', false)).toEqual(['<s>x', 2])
  })

  it('takes the spaces beside a token along', () => {
    const tokens = [token(1, '<l>', { lstrip: true }), token(2, '<r>', { rstrip: true })]
    expect(split(tokens, 'a \n<l> b <r>\u3000c')).toEqual(['a', 1, ' b ', 2, 'c'])
    expect(split(tokens, '<r>  <l>')).toEqual([2, 1])
    // A byte order mark is no space.
    expect(split(tokens, 'a\ufeff<l>')).toEqual(['a\ufeff', 1])
  })

  it('finds a single word only by itself', () => {
    const tokens = [token(1, 'id', { singleWord: true })]
    expect(split(tokens, 'id ids kid id.')).toEqual([1, ' ids kid ', 1, '.'])
    expect(split(tokens, 'éid 字id id_')).toEqual(['éid 字id id_'])
  })

  it('finds normalized tokens after normalization, after the others', () => {
    const tokens = [token(1, 'NO'), token(2, 'YES', { normalized: true })]
    expect(split(tokens, 'NO no Yes')).toEqual([1, ' no ', 2])
  })

  it('says which part begins the text', () => {
    const splitter = createSplitter({ path: 'tokenizer.json', tokens: [token(1, '<s>')], normalize: (part) => part })
    expect(splitter('a<s>b', { parseSpecial: true })).toEqual([
      { kind: 'text', text: 'a', atStart: true },
      { kind: 'token', id: 1 },
      { kind: 'text', text: 'b', atStart: false },
    ])
    expect(splitter('', { parseSpecial: true })).toEqual([])
  })

  it('passes 100,000 tokens in a row', () => {
    expect(split([token(1, '<s>')], '<s>'.repeat(100_000))).toHaveLength(100_000)
  })
})

// GBNF and regular expressions as constraints, the automaton under them, and attacks on all of it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8Sequences } from '../../../../engine/generate/grammar/utf8-ranges'
import { allows, byteVocabulary, matcherOf, STOP_ID, writeRandomly } from './random-writer'

const gbnf = (text: string) => ({ kind: 'grammar', text }) as const
const regex = (text: string) => ({ kind: 'regex', text }) as const

describe('GBNF', () => {
  it('reads rules, groups, classes, repetitions, escapes and comments', () => {
    const grammar = gbnf(`# moves
root ::= ("white" | "black") ": "   move{1,3} # several
move ::= [a-h] [1-8]
  "-"? [a-h][1-8] " "* "\\u00e9"? [^0-9\\]]?
`)
    // A rule ends with its line; only groups and alternatives go on.
    expect(() => matcherOf(grammar)).toThrow(expect.objectContaining({ code: 'generate/grammar-syntax' }))
    const oneLine = gbnf('root ::= ("white" |\n "black") ": " move{1,2}\nmove ::= [a-h] [1-8] "-"? [a-h][1-8] " "* "\\u00e9"?')
    expect(allows(oneLine, 'white: e2-e4 e7e5é')).toBe(true)
    expect(allows(oneLine, 'white: e2-e9')).toBe(false)
    expect(allows(oneLine, 'black: e2e4e2e4e2e4')).toBe(false)
  })

  it('matches nested rules as deep as the text goes', () => {
    const balanced = gbnf('root ::= "(" root* ")"')
    expect(allows(balanced, '(()(()))')).toBe(true)
    expect(allows(balanced, '(()')).toBe(false)
    expect(allows(balanced, `${'('.repeat(900)}${')'.repeat(900)}`)).toBe(true)
    expect(allows(balanced, `${'('.repeat(1100)}${')'.repeat(1100)}`)).toBe(false)
  })

  it('repeats at the end of a rule without growing', () => {
    const matcher = matcherOf(gbnf('root ::= "a" root | "b"'))
    expect(matcher.acceptBytes(new TextEncoder().encode(`${'a'.repeat(50_000)}b`))).toBe(true)
    expect(matcher.isComplete()).toBe(true)
  })

  it.each([
    ['no root', 'a ::= "x"', 'generate/grammar-syntax'],
    ['a missing rule', 'root ::= other', 'generate/grammar-syntax'],
    ['an open quote', 'root ::= "x', 'generate/grammar-syntax'],
    ['an open group', 'root ::= ("x"', 'generate/grammar-syntax'],
    ['a rule twice', 'root ::= "x"\nroot ::= "y"', 'generate/grammar-syntax'],
    ['a token reference', 'root ::= <think>', 'generate/grammar-syntax'],
    ['a rule that begins with itself', 'root ::= root "x" | "y"', 'generate/grammar-left-recursion'],
    ['rules that begin with each other', 'root ::= a "x"\na ::= "z"? b\nb ::= root', 'generate/grammar-left-recursion'],
    ['a giant repetition', 'root ::= "a"{1,1000000}', 'generate/grammar-too-large'],
    ['repetitions of repetitions', 'root ::= (((("a"{99}){99}){99}){99}){99}', 'generate/grammar-too-large'],
    ['groups without end', `root ::= ${'('.repeat(100_000)}"a"${')'.repeat(100_000)}`, 'generate/grammar-too-large'],
    ['rules without end', Array.from({ length: 20_000 }, (_, index) => `r${index} ::= "a"`).join('\n'), 'generate/grammar-too-large'],
  ])('refuses %s at once', (_, text, code) => {
    const startMs = performance.now()
    expect(() => matcherOf(gbnf(text))).toThrow(expect.objectContaining({ code }))
    expect(performance.now() - startMs).toBeLessThan(2000)
  })

  it('gives up on a text that can be read in too many ways', () => {
    const matcher = matcherOf(gbnf('root ::= "x" root "y" | "x" root "z" | "x"'))
    const startMs = performance.now()
    expect(() => matcher.acceptBytes(new TextEncoder().encode('x'.repeat(200)))).toThrow(
      expect.objectContaining({ code: 'generate/grammar-too-complex' }),
    )
    expect(performance.now() - startMs).toBeLessThan(5000)
  })

  it('says so when no token can go on', () => {
    expect(() => matcherOf(gbnf('root ::= "a" [] | []')).mask()).toThrow(expect.objectContaining({ code: 'generate/grammar-stuck' }))
  })
})

describe('a regular expression', () => {
  it.each([
    ['[a-c]+\\d{2,3}', ['abc12', 'a123'], ['12', 'a1', 'a1234']],
    ['(?:yes|no)!?', ['yes', 'no!'], ['maybe', 'yes!!']],
    ['^\\w+@[^@\\s]+\\.(com|org)$', ['a_1@b.c.com'], ['a@b', '@b.com']],
    ['\\u{1F600}+|[本-語]', ['😀😀', '本'], ['a']],
    ['a.c', ['abc', 'a本c'], ['a\nc']],
    ['x*?y', ['y', 'xxy'], ['x']],
  ])('%s matches the whole text or nothing', (pattern, good, bad) => {
    for (const text of good) expect([text, allows(regex(pattern), text)]).toEqual([text, true])
    for (const text of bad) expect([text, allows(regex(pattern), text)]).toEqual([text, false])
  })

  it('agrees with JavaScript on everything it writes', () => {
    const piece = fc.constantFrom('a', '[^b]', '\\d', '(a|bc)', '\\s', '.', '[à-ü]', 'x{2,4}', '(?:q+r?)*', '\\W')
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), fc.nat(1000), (pieces, seed) => {
        const pattern = pieces.join('')
        const text = writeRandomly(regex(pattern), { seed, enough: 12 })
        if (text !== null) expect(text).toMatch(new RegExp(`^(?:${pattern})$`, 'u'))
      }),
      { numRuns: 60 },
    )
  })

  it.each([
    ['a look-ahead', '(?=a)b'],
    ['a back reference', '(a)\\1'],
    ['a word border', '\\ba'],
    ['an anchor in the middle', 'a$b'],
  ])('refuses %s', (_, pattern) => {
    expect(() => matcherOf(regex(pattern))).toThrow(expect.objectContaining({ code: 'generate/pattern-unsupported' }))
  })

  it.each(['(', '[a', 'a{2,1}', '*', 'a{1,1000000}', '(a{1000}){1000}', '('.repeat(5000)])('refuses %s at once', (pattern) => {
    const startMs = performance.now()
    expect(() => matcherOf(regex(pattern))).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/grammar-(syntax|too-large)/) as unknown }),
    )
    expect(performance.now() - startMs).toBeLessThan(1000)
  })
})

describe('a mask', () => {
  it('has the stop ids only where the text may end', () => {
    const matcher = matcherOf(regex('ab?'))
    const stops = (): boolean => ((matcher.mask()[STOP_ID >>> 5] ?? 0) >>> (STOP_ID & 31)) % 2 === 1
    expect(stops()).toBe(false)
    matcher.accept(97)
    expect(stops()).toBe(true)
    matcher.accept(98)
    expect(matcher.isComplete()).toBe(true)
  })

  it('allows a token exactly when its bytes are allowed one by one', () => {
    const constraint = { kind: 'json-schema', text: '{"type":"object","additionalProperties":{"type":"number"}}' } as const
    const matcher = matcherOf(constraint)
    const before = '{"ab": 1'
    matcher.acceptBytes(new TextEncoder().encode(before))
    const mask = matcher.mask()
    for (let id = 0; id < STOP_ID; id++) {
      const single = matcherOf(constraint)
      single.acceptBytes(new TextEncoder().encode(before))
      expect([id, ((mask[id >>> 5] ?? 0) >>> (id & 31)) % 2 === 1]).toEqual([
        id,
        single.acceptBytes(byteVocabulary.bytesOf(id) ?? new Uint8Array()),
      ])
    }
  })
})

describe('UTF-8 ranges', () => {
  it('spell exactly the code points of a range', () => {
    fc.assert(
      fc.property(fc.nat(0x10ffff), fc.nat(3000), fc.integer({ min: -4, max: 3004 }), (from, more, offset) => {
        const to = Math.min(from + more, 0x10ffff)
        const tried = Math.min(Math.max(from + offset, 0), 0x10ffff)
        fc.pre(tried < 0xd800 || tried > 0xdfff)
        const bytes = new TextEncoder().encode(String.fromCodePoint(tried))
        const matches = utf8Sequences([[from, to]]).filter(
          (ranges) =>
            ranges.length === bytes.length &&
            ranges.every(([low, high], index) => low <= (bytes[index] ?? 0) && (bytes[index] ?? 0) <= high),
        )
        expect(matches.length).toBe(tried >= from && tried <= to ? 1 : 0)
      }),
    )
  })
})

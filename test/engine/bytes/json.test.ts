import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJsonObject, MAX_JSON_DEPTH, parseJson, readJsonFile } from '../../../engine/bytes/json'
import { engineCode } from '../../support/engine-code'
import { temporaryFolder } from '../../support/temporary-folder'

const parse = (text: string) => parseJson(new TextEncoder().encode(text), 'test.json')

describe('JSON of untrusted files', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value)
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('refuses any object with a repeated key, wherever it is', () => {
    const key = fc.string({ maxLength: 8 })
    fc.assert(
      fc.property(key, fc.jsonValue(), fc.jsonValue(), (name, first, second) => {
        const quoted = JSON.stringify(name)
        const text = `[{"deep\\"er":{${quoted}:${JSON.stringify(first)}, ${quoted} : ${JSON.stringify(second)}}}]`
        expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'bytes/json-duplicate-key' }))
      }),
    )
  })

  it('sees through escapes in repeated keys', async () => {
    expect(await engineCode(() => parse('{"a":1,"\\u0061":2}'))).toBe('bytes/json-duplicate-key')
  })

  it('allows one key in two objects, and strings that look like keys', () => {
    expect(parse('[{"a":"a"},{"a":"a\\",\\"a"},["a","a"]]')).toEqual([{ a: 'a' }, { a: 'a","a' }, ['a', 'a']])
  })

  it('reads nesting up to the limit and refuses one level more', async () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(Array.isArray(parse(nested(MAX_JSON_DEPTH)))).toBe(true)
    expect(await engineCode(() => parse(nested(MAX_JSON_DEPTH + 1)))).toBe('bytes/json-too-deep')
    expect(await engineCode(() => parse('{"a":'.repeat(1_000_000)))).toBe('bytes/json-too-deep')
  })

  it('does not count brackets inside strings', () => {
    expect(parse(JSON.stringify('['.repeat(1000)))).toBe('['.repeat(1000))
  })

  it.each([['{"a":}'], ['{"a":NaN}'], [''], ['{"a":1'], ['{"a":"\\'], ['nul'], ['{} {}']])('refuses %j', async (text) => {
    expect(await engineCode(() => parse(text))).toBe('bytes/invalid-json')
  })

  it('refuses text that is not UTF-8', async () => {
    expect(await engineCode(() => parseJson(Uint8Array.from([0x22, 0xff, 0x22]), 'test.json'))).toBe('bytes/invalid-json')
  })

  it('keeps a __proto__ key as data', () => {
    const value = parse('{"__proto__":{"polluted":true}}')
    expect(isJsonObject(value) && Object.keys(value)).toEqual(['__proto__'])
    expect(({} as Readonly<Record<string, unknown>>)['polluted']).toBeUndefined()
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  it('refuses a file over its size limit before reading it', async () => {
    using folder = temporaryFolder()
    const path = folder.write('big.json', `"${'x'.repeat(100)}"`)
    expect(await engineCode(() => readJsonFile(path, { maxBytes: 50 }))).toBe('bytes/file-too-large')
    expect(await readJsonFile(path, { maxBytes: 102 })).toBe('x'.repeat(100))
  })
})

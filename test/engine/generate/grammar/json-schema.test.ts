// JSON schemas as constraints: whatever a model writes under one parses and is valid; what cannot be promised is refused by name.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../../engine/bytes/json'
import { allows, matcherOf, writeRandomly } from './random-writer'

const schema = (value: unknown) => ({ kind: 'json-schema', text: JSON.stringify(value) }) as const

/** The part of JSON Schema that the schemas below use. */
function isValid(value: unknown, by: Readonly<Record<string, unknown>>): boolean {
  if (Array.isArray(by['anyOf'])) return by['anyOf'].some((each: Record<string, unknown>) => isValid(value, each))
  if (Array.isArray(by['enum'])) return by['enum'].some((each) => JSON.stringify(each) === JSON.stringify(value))
  if ('const' in by) return JSON.stringify(by['const']) === JSON.stringify(value)
  const number = (key: string, otherwise: number): number => (typeof by[key] === 'number' ? by[key] : otherwise)
  switch (by['type']) {
    case 'string':
      return (
        typeof value === 'string' &&
        Array.from(value).length >= number('minLength', 0) &&
        Array.from(value).length <= number('maxLength', Infinity)
      )
    case 'integer':
    case 'number':
      return (
        typeof value === 'number' &&
        (by['type'] === 'number' || Number.isInteger(value)) &&
        value >= number('minimum', -Infinity) &&
        value <= number('maximum', Infinity) &&
        value > number('exclusiveMinimum', -Infinity) &&
        value < number('exclusiveMaximum', Infinity)
      )
    case 'boolean':
      return typeof value === 'boolean'
    case 'null':
      return value === null
    case 'array':
      return (
        Array.isArray(value) &&
        value.length >= number('minItems', 0) &&
        value.length <= number('maxItems', Infinity) &&
        value.every((item) => isValid(item, by['items'] as Record<string, unknown>))
      )
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
      const properties = by['properties'] as Record<string, Record<string, unknown>>
      const others = by['additionalProperties']
      return (
        (by['required'] as string[]).every((key) => Object.hasOwn(value, key)) &&
        Object.entries(value).every(([key, member]) => {
          const own = Object.hasOwn(properties, key) ? properties[key] : undefined
          if (own !== undefined) return isValid(member, own)
          return typeof others === 'object' && others !== null ? isValid(member, others as Record<string, unknown>) : others === true
        })
      )
    }
    default:
      return true
  }
}

const bound = fc.integer({ min: -300, max: 300 })
const range = fc.tuple(bound, fc.nat(400)).map(([from, more]) => [from, from + more] as const)
const name = fc.constantFrom('a', 'ab', 'name', 'quote"', 'nül', 'b')
const leaf: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.tuple(fc.nat(4), fc.nat(4)).map(([min, more]) => ({ type: 'string', minLength: min, maxLength: min + more })),
  range.map(([minimum, maximum]) => ({ type: 'integer', minimum, maximum })),
  range.map(([minimum, maximum]) => ({ type: 'number', minimum, maximum })),
  range.map(([from, to]) => ({ type: 'number', exclusiveMinimum: from, exclusiveMaximum: to + 1 })),
  bound.map((minimum) => ({ type: 'integer', exclusiveMinimum: minimum })),
  fc.constantFrom<Record<string, unknown>>({ type: 'boolean' }, { type: 'null' }, { type: 'number' }, { type: 'string' }, {}),
  fc.array(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 3 }).map((values) => ({ enum: values })),
)
const { tree } = fc.letrec<{ tree: Record<string, unknown> }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .record({ items: tie('tree'), minItems: fc.nat(2), more: fc.nat(2) })
      .map(({ items, minItems, more }) => ({ type: 'array', items, minItems, maxItems: minItems + more })),
    fc
      .record({
        properties: fc.dictionary(name, tie('tree'), { maxKeys: 4 }),
        keep: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        additionalProperties: fc.oneof(fc.boolean(), tie('tree')),
      })
      .map(({ properties, keep, additionalProperties }) => ({
        type: 'object',
        properties,
        required: Object.keys(properties).filter((_, index) => keep[index]),
        additionalProperties,
      })),
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
  ),
}))

describe('a JSON schema', () => {
  it('lets nothing be written that does not parse or is not valid', () => {
    let written = 0
    fc.assert(
      fc.property(tree, fc.nat(10_000), (given, seed) => {
        const text = writeRandomly(schema(given), { seed, enough: 25 })
        if (text === null) return
        written++
        expect(isValid(JSON.parse(text), given), `${text} by ${JSON.stringify(given)}`).toBe(true)
      }),
      { numRuns: 90 },
    )
    expect(written).toBeGreaterThan(60)
  })

  it('allows values as they are usually printed', () => {
    const person = {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 }, tags: { type: 'array', items: { type: 'string' } } },
      required: ['name'],
    }
    const value: JsonValue = { name: 'Ada "Countess" 本', age: 36, tags: ['a', 'b\n'] }
    expect(allows(schema(person), JSON.stringify(value))).toBe(true)
    expect(allows(schema(person), JSON.stringify(value, null, 2))).toBe(true)
    expect(allows(schema(person), '{"age": 36}')).toBe(false)
    expect(allows(schema(person), '{"name": "x", "other": 1}')).toBe(false)
    expect(allows(schema(person), '{"name": "x"')).toBe(false)
  })

  it('follows references, also to itself', () => {
    const nested = {
      $ref: '#/$defs/node',
      $defs: {
        node: { type: 'object', properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }, required: ['next'] },
      },
    }
    expect(allows(schema(nested), '{"next": {"next": {"next": null}}}')).toBe(true)
    expect(allows(schema(nested), '{"next": {"next": 1}}')).toBe(false)
  })

  it('keeps further properties apart from the named ones', () => {
    const open = { type: 'object', properties: { a: { type: 'integer' } }, additionalProperties: { type: 'string' } }
    expect(allows(schema(open), '{"a": 1, "ab": "x", "": "y"}')).toBe(true)
    expect(allows(schema(open), '{"a": "x"}')).toBe(false)
    expect(allows(schema(open), '{"\\u0061": "x"}')).toBe(false)
  })

  it.each([
    ['pattern', { type: 'string', pattern: '^[a-z]{2}"\\d+$' }, '"ab\\"12"', '"ab12"'],
    ['pattern in the middle', { type: 'string', pattern: 'b+' }, '"abba"', '"acca"'],
    ['date', { type: 'string', format: 'date' }, '"2024-02-28"', '"2024-02-30"'],
    ['date-time', { type: 'string', format: 'date-time' }, '"2024-12-31T23:59:59.5Z"', '"2024-12-31"'],
    [
      'prefixItems',
      { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], items: false, minItems: 1 },
      '[1, "a"]',
      '[1, "a", 2]',
    ],
    ['types', { type: ['integer', 'null'] }, 'null', '"a"'],
    ['oneOf by type', { oneOf: [{ type: 'string' }, { type: 'integer' }] }, '1', 'true'],
    ['const', { const: { a: [1] } }, '{"a":[1]}', '{"a": 1}'],
  ])('knows %s', (_, given, good, bad) => {
    expect(allows(schema(given), good)).toBe(true)
    expect(allows(schema(given), bad)).toBe(false)
  })

  it.each([
    ['multipleOf', { type: 'integer', multipleOf: 3 }],
    ['uniqueItems', { type: 'array', uniqueItems: true }],
    ['not', { not: { type: 'string' } }],
    ['patternProperties', { type: 'object', patternProperties: {} }],
    ['format email', { type: 'string', format: 'email' }],
    ['$ref to another document', { $ref: 'https://example.com/schema.json' }],
    ['oneOf whose alternatives may hold at once', { oneOf: [{ type: 'string' }, { type: 'string', maxLength: 2 }] }],
    ['allOf with several entries', { allOf: [{ type: 'string' }, { maxLength: 2 }] }],
    ['minimum 0.5', { type: 'number', minimum: 0.5 }],
    ['required b without a property', { type: 'object', properties: {}, required: ['b'] }],
  ])('refuses %s by name', (keyword, given) => {
    expect(() => matcherOf(schema(given))).toThrow(
      expect.objectContaining({ code: 'generate/schema-unsupported', details: expect.objectContaining({ keyword }) as unknown }),
    )
  })

  it.each([
    ['a text that is no JSON', '{', 'generate/schema-invalid'],
    ['a number', '5', 'generate/schema-invalid'],
    ['an unknown type', '{"type": "thing"}', 'generate/schema-invalid'],
    ['an empty enum', '{"enum": []}', 'generate/schema-invalid'],
    ['a reference into nothing', '{"$ref": "#/$defs/a"}', 'generate/schema-invalid'],
    ['a reference that only refers to itself', '{"$ref": "#"}', 'generate/grammar-left-recursion'],
    ['bounds that cross', '{"type": "integer", "minimum": 5, "maximum": 4}', 'generate/schema-invalid'],
    ['nesting without end', `${'{"anyOf":['.repeat(60)}{}${']}'.repeat(60)}`, null],
    ['nesting beyond the limit', `${'{"items":'.repeat(300)}{}${'}'.repeat(300)}`, 'generate/schema-invalid'],
    ['a string of a million characters', '{"type": "string", "minLength": 1000000}', 'generate/grammar-too-large'],
    ['lists of lists of thousands', '{"type":"array","minItems":9000,"items":{"type":"string","minLength":9000}}', null],
    ['a text beyond the limit', `{"title": "${'x'.repeat(300_000)}"}`, 'generate/grammar-too-large'],
  ])('answers at once to %s', (_, text, code) => {
    const startMs = performance.now()
    const make = (): unknown => matcherOf({ kind: 'json-schema', text })
    if (code === null) expect(make).not.toThrow()
    else expect(make).toThrow(expect.objectContaining({ code }))
    expect(performance.now() - startMs).toBeLessThan(2000)
  })
})

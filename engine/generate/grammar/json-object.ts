// JSON Schema's objects as rules: properties in the schema's order, optional ones left out freely, further ones behind them with other names.
import { isJsonObject, type JsonObject, type JsonValue } from '../../bytes/json'
import { engineError } from '../../errors'
import { anyObject, list, plainCharacter, space } from './json-text'
import type { SchemaReader } from './schema-reader'
import { choice, codePoints, EMPTY, ref, repeat, sequence, text, type CodePointRanges, type GrammarNode } from './nodes'

/** The object of a schema whose keywords were checked. Throws "generate/schema-invalid", "generate/schema-unsupported". */
export function objectRule(
  schema: JsonObject,
  { reader, pointer }: { readonly reader: SchemaReader; readonly pointer: string },
): GrammarNode {
  const properties = schema['properties'] ?? {}
  const required = schema['required'] ?? []
  const others = schema['additionalProperties'] ?? schema['properties'] === undefined
  const invalid = (reason: string) => engineError('generate/schema-invalid', { pointer: pointer || '/', reason })
  if (!isJsonObject(properties)) throw invalid('properties must be an object')
  if (!Array.isArray(required) || !required.every((key) => typeof key === 'string')) throw invalid('required must be a list of names')
  const names = Object.keys(properties)
  if (names.length === 0 && required.length === 0 && others === true) return anyObject
  const missing = required.find((key) => typeof key !== 'string' || !Object.hasOwn(properties, key))
  if (missing !== undefined)
    throw engineError('generate/schema-unsupported', { keyword: `required ${missing} without a property`, pointer: pointer || '/' })

  const members = names.map((name) => ({
    pair: pairOf(text(JSON.stringify(name)), reader.read(properties[name] ?? true, `${pointer}/properties/${name}`)),
    optional: !required.includes(name),
  }))
  const further = others === false ? null : furtherMembers(others, { reader, pointer, names })
  const rule = reader.name('object')
  const nameOf = (index: number, hasMembers: boolean): string => `${rule} ${index} ${hasMembers ? 'more' : 'first'}`
  // One rule per property and whether a comma is needed there, so that leaving some out costs no more than writing them.
  for (const hasMembers of [false, true]) {
    const comma = hasMembers ? sequence(text(','), space) : EMPTY
    reader.rules.set(nameOf(members.length, hasMembers), further === null ? EMPTY : further(hasMembers))
    for (const [index, member] of members.entries()) {
      const taken = sequence(comma, member.pair, ref(nameOf(index + 1, true)))
      reader.rules.set(nameOf(index, hasMembers), member.optional ? choice(taken, ref(nameOf(index + 1, hasMembers))) : taken)
    }
  }
  return list('{', ref(nameOf(0, false)), '}')
}

const pairOf = (key: GrammarNode, value: GrammarNode): GrammarNode => sequence(key, space, text(':'), space, value, space)

function furtherMembers(
  schema: JsonValue,
  { reader, pointer, names }: { readonly reader: SchemaReader; readonly pointer: string; readonly names: readonly string[] },
): (hasMembers: boolean) => GrammarNode {
  const key = sequence(text('"'), otherThan(names), text('"'))
  const pair = pairOf(key, reader.read(schema, `${pointer}/additionalProperties`))
  const behindComma = repeat(sequence(text(','), space, pair), 0, null)
  return (hasMembers) => (hasMembers ? behindComma : choice(EMPTY, sequence(pair, behindComma)))
}

interface NameTree {
  readonly next: Map<string, NameTree>
  ends: boolean
}

/** Names that are none of these. They have no escapes, so that no name can be written in a second way. */
function otherThan(names: readonly string[]): GrammarNode {
  const root: NameTree = { next: new Map(), ends: false }
  for (const name of names) {
    let node = root
    for (const character of name) {
      const child = node.next.get(character) ?? { next: new Map<string, NameTree>(), ends: false }
      node.next.set(character, child)
      node = child
    }
    node.ends = true
  }
  const rest = repeat(plainCharacter(), 0, null)
  const leaves = (node: NameTree): GrammarNode => {
    const taken: CodePointRanges = [...node.next.keys()].map(
      (character) => [character.codePointAt(0) ?? 0, character.codePointAt(0) ?? 0] as const,
    )
    const options = [sequence(plainCharacter(taken), rest)]
    if (!node.ends) options.push(EMPTY)
    for (const [character, child] of node.next)
      if (JSON.stringify(character).length === character.length + 2)
        options.push(sequence(codePoints([[character.codePointAt(0) ?? 0, character.codePointAt(0) ?? 0]]), leaves(child)))
    return choice(...options)
  }
  return leaves(root)
}

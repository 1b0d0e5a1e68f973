// What the parts of a JSON schema are read with.
import type { JsonValue } from '../../bytes/json'
import type { GrammarNode } from './nodes'

/** Where a schema is read: rules made so far, and how to read a part of it. `pointer` is the JSON pointer of a part. */
export interface SchemaReader {
  readonly rules: Map<string, GrammarNode>
  readonly read: (schema: JsonValue, pointer: string) => GrammarNode
  /** A new rule name. */
  readonly name: (kind: string) => string
}

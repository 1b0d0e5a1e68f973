// The syntax tree of a Jinja template. Follows jinja2 3.1.6 (nodes.py).
import type { Value } from './values'

/** Operators between two values. */
export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**'
/** Operators of a comparison. */
export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in'

/** Arguments of a call, a filter or a test. */
export interface CallArguments {
  readonly positional: readonly Expression[]
  readonly named: readonly { readonly name: string; readonly value: Expression }[]
  readonly spread: Expression | null
  readonly namedSpread: Expression | null
}

/** A filter or a test with its arguments. */
export interface NamedCall {
  readonly name: string
  readonly args: CallArguments
  readonly line: number
}

/** A node that has a value. */
export type Expression =
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list' | 'tuple'; readonly items: readonly Expression[] }
  | { readonly kind: 'dict'; readonly pairs: readonly { readonly key: Expression; readonly value: Expression }[] }
  | { readonly kind: 'attribute'; readonly object: Expression; readonly name: string }
  | { readonly kind: 'item'; readonly object: Expression; readonly index: Expression }
  | { readonly kind: 'slice'; readonly start: Expression | null; readonly stop: Expression | null; readonly step: Expression | null }
  | { readonly kind: 'call'; readonly callee: Expression; readonly args: CallArguments }
  | ({ readonly kind: 'filter'; readonly operand: Expression | null } & NamedCall)
  | ({ readonly kind: 'test'; readonly operand: Expression } & NamedCall)
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'concat'; readonly parts: readonly Expression[] }
  | { readonly kind: 'unary'; readonly operator: '-' | '+' | 'not'; readonly operand: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: 'compare'
      readonly first: Expression
      readonly rest: readonly { readonly operator: CompareOperator; readonly operand: Expression }[]
    }
  | { readonly kind: 'condition'; readonly test: Expression; readonly then: Expression; readonly otherwise: Expression | null }

/** What can be assigned to. */
export type Target =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'namespace'; readonly object: string; readonly attribute: string }
  | { readonly kind: 'targets'; readonly items: readonly Target[] }

/** Parameters of a macro or of the body of a call block; the last ones have defaults. */
export interface Signature {
  readonly names: readonly string[]
  readonly defaults: readonly Expression[]
}

/** A macro, or the body of a call block. */
export interface MacroNode {
  readonly name: string
  readonly signature: Signature
  readonly body: readonly Statement[]
  /** Which of the special names its body reads. */
  readonly reads: { readonly caller: boolean; readonly kwargs: boolean; readonly varargs: boolean }
}

/** A node that prints or does something. */
export type Statement =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly value: Expression }
  | {
      readonly kind: 'for'
      readonly target: Target
      readonly iterable: Expression
      readonly test: Expression | null
      readonly recursive: boolean
      readonly body: readonly Statement[]
      readonly otherwise: readonly Statement[]
    }
  | {
      readonly kind: 'if'
      readonly branches: readonly { readonly test: Expression; readonly body: readonly Statement[] }[]
      readonly otherwise: readonly Statement[]
    }
  | { readonly kind: 'set'; readonly target: Target; readonly value: Expression }
  | { readonly kind: 'setBlock'; readonly target: Target; readonly filter: Expression | null; readonly body: readonly Statement[] }
  | {
      readonly kind: 'with'
      readonly bindings: readonly { readonly target: Target; readonly value: Expression }[]
      readonly body: readonly Statement[]
    }
  | { readonly kind: 'macro'; readonly macro: MacroNode }
  | { readonly kind: 'callBlock'; readonly call: Expression & { readonly kind: 'call' }; readonly caller: MacroNode }
  | { readonly kind: 'filterBlock'; readonly filter: Expression; readonly body: readonly Statement[] }
  | { readonly kind: 'scope'; readonly body: readonly Statement[] }
  | { readonly kind: 'block'; readonly name: string; readonly scoped: boolean; readonly body: readonly Statement[] }
  | { readonly kind: 'break' | 'continue' }
  | { readonly kind: 'load'; readonly what: string }

/** A filter's operand stands here while a block is its operand. */
export const NO_ARGUMENTS: CallArguments = { positional: [], named: [], spread: null, namedSpread: null }

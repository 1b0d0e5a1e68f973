// Runs the statements of a template. Follows jinja2 3.1.6 (compiler.py): loops, macros, call blocks and `with` have scopes of their own, `if` has none.
import { PythonError, typeError, valueError } from './failures'
import { evaluate } from './evaluate'
import { iterate } from './iteration'
import { createLoop, noLoopYet } from './loop'
import { createMacro } from './macro'
import type { Statement, Target } from './nodes'
import { TextBuffer } from './text-buffer'
import type { Runtime } from './registry'
import { isTrue, str } from './repr'
import { Scope } from './scope'
import { type Value, isObject, iterator } from './values'

/** How a body ended: a loop is left or begun anew by what is not `null`. */
type Completion = 'break' | 'continue' | null

/** Where statements run. */
export interface Frame {
  readonly scope: Scope
  readonly runtime: Runtime
  readonly out: TextBuffer
  /** The template's own scope, which blocks see. */
  readonly root: Scope
}

/** Runs a whole body; `break` and `continue` belong in a loop of its own. */
export function render(body: readonly Statement[], frame: Omit<Frame, 'out'>): string {
  const out = new TextBuffer(frame.runtime.budget)
  if (execute(body, { ...frame, out }) !== null) throw new PythonError('TemplateRuntimeError', 'break or continue outside a loop')
  return out.text()
}

function execute(body: readonly Statement[], frame: Frame): Completion {
  for (const statement of body) {
    const completion = executeOne(statement, frame)
    if (completion !== null) return completion
  }
  return null
}

function executeOne(node: Statement, frame: Frame): Completion {
  const { scope, runtime, out } = frame
  runtime.budget.spend(1)
  switch (node.kind) {
    case 'text':
      out.push(node.text)
      return null
    case 'print':
      out.push(str(evaluate(node.value, scope, runtime), runtime.budget))
      return null
    case 'for':
      executeFor(node, frame)
      return null
    case 'if':
      return executeIf(node, frame)
    case 'set':
      assign(node.target, evaluate(node.value, scope, runtime), frame)
      return null
    case 'setBlock': {
      const text = inner(node.body, frame)
      assign(node.target, node.filter === null ? text : evaluate(node.filter, scope, runtime, text), frame)
      return null
    }
    case 'with': {
      const within = new Scope(scope)
      for (const { target, value } of node.bindings) assign(target, evaluate(value, scope, runtime), { ...frame, scope: within })
      return execute(node.body, { ...frame, scope: within })
    }
    case 'macro':
      scope.set(node.macro.name, createMacro(node.macro, { frame, render }))
      return null
    case 'callBlock':
      executeCallBlock(node, frame)
      return null
    case 'filterBlock':
      out.push(str(evaluate(node.filter, scope, runtime, inner(node.body, frame)), runtime.budget))
      return null
    case 'scope':
      out.push(inner(node.body, frame))
      return null
    case 'block':
      out.push(render(node.body, { ...frame, scope: new Scope(node.scoped ? scope : frame.root) }))
      return null
    case 'break':
    case 'continue':
      return node.kind
    case 'load':
      throw typeError(`{% ${node.what} %}: no loader for this environment specified`)
  }
}

/** What a body prints, in a scope of its own. */
function inner(body: readonly Statement[], frame: Frame): string {
  return render(body, { ...frame, scope: new Scope(frame.scope) })
}

function executeIf(node: Statement & { readonly kind: 'if' }, frame: Frame): Completion {
  for (const { test, body } of node.branches) {
    if (isTrue(evaluate(test, frame.scope, frame.runtime))) return execute(body, frame)
  }
  return execute(node.otherwise, frame)
}

type ForNode = Statement & { readonly kind: 'for' }

function executeFor(node: ForNode, frame: Frame): void {
  runLoop(node, evaluate(node.iterable, frame.scope, frame.runtime), { frame, depth0: 0 })
}

function runLoop(node: ForNode, items: Value, { frame, depth0 }: { readonly frame: Frame; readonly depth0: number }): void {
  const { runtime } = frame
  const source = node.test === null ? items : iterator(filtered(node, items, frame))
  const recurse = (more: Value, depth: number): Value => {
    const out = new TextBuffer(runtime.budget)
    runLoop(node, more, { frame: { ...frame, out }, depth0: depth })
    return out.text()
  }
  const loop = createLoop(source, { reach: runtime, depth0, recurse: node.recursive ? recurse : null })
  let isEmpty = true
  for (let item = loop.next(); item !== undefined; item = loop.next()) {
    isEmpty = false
    const scope = new Scope(frame.scope)
    scope.set('loop', loop.value)
    assign(node.target, item, { ...frame, scope })
    if (execute(node.body, { ...frame, scope }) === 'break') break
  }
  if (isEmpty) execute(node.otherwise, { ...frame, scope: new Scope(frame.scope) })
}

/** The items for which the loop's own `if` holds, one by one. */
function* filtered({ target, test }: ForNode, items: Value, frame: Frame): Generator<Value, undefined> {
  for (const item of iterate(items, frame.runtime.budget)) {
    const scope = new Scope(frame.scope)
    scope.set('loop', { kind: 'attributes', shown: noLoopYet, attribute: noLoopYet })
    assign(target, item, { ...frame, scope })
    if (test === null || isTrue(evaluate(test, scope, frame.runtime))) yield item
  }
}

function executeCallBlock(node: Statement & { readonly kind: 'callBlock' }, frame: Frame): void {
  const caller = createMacro(node.caller, { frame, render })
  const { runtime } = frame
  const { args } = node.call
  const named = [...args.named, { name: 'caller', value: { kind: 'constant', value: caller } as const }]
  const result = evaluate({ ...node.call, args: { ...args, named } }, frame.scope, runtime)
  frame.out.push(str(result, runtime.budget))
}

/** Sets names; a tuple of them takes a value apart. Throws ValueError where the numbers differ. */
function assign(target: Target, value: Value, frame: Frame): void {
  switch (target.kind) {
    case 'name':
      frame.scope.set(target.name, value)
      return
    case 'namespace': {
      const object = frame.scope.get(target.object) ?? null
      if (!isObject(object) || object.kind !== 'namespace') {
        throw new PythonError('TemplateRuntimeError', 'cannot assign attribute on non-namespace object')
      }
      object.attributes.set(target.attribute, value)
      return
    }
    case 'targets': {
      const items = taken(value, target.items.length, frame)
      target.items.forEach((inner, index) => assign(inner, items[index] ?? null, frame))
    }
  }
}

function taken(value: Value, count: number, { runtime }: Frame): Value[] {
  const items: Value[] = []
  for (const item of iterate(value, runtime.budget)) {
    if (items.length === count) throw valueError(`too many values to unpack (expected ${count})`)
    items.push(item)
  }
  if (items.length < count) throw valueError(`not enough values to unpack (expected ${count}, got ${items.length})`)
  return items
}

// Macros and the bodies of call blocks as functions. Follows jinja2 3.1.6 (runtime.py, Macro).
import { typeError } from './failures'
import { evaluate } from './evaluate'
import type { MacroNode, Statement } from './nodes'
import type { Runtime } from './registry'
import { Scope } from './scope'
import { type Arguments, type DictEntry, type FunctionValue, type Value, tuple, undefinedValue } from './values'

interface MacroFrame {
  readonly scope: Scope
  readonly root: Scope
  readonly runtime: Runtime
}

export interface MacroOptions {
  readonly frame: MacroFrame
  readonly render: (body: readonly Statement[], frame: MacroFrame) => string
}

/** A function that prints the macro's body where it was defined. */
export function createMacro(node: MacroNode, { frame, render }: MacroOptions): FunctionValue {
  const attributes = new Map<string, Value>([
    ['name', node.name],
    ['arguments', tuple(node.signature.names)],
    ['catch_kwargs', node.reads.kwargs],
    ['catch_varargs', node.reads.varargs],
    ['caller', node.reads.caller],
  ])
  const call = (args: Arguments): Value => {
    const scope = new Scope(frame.scope)
    bindParameters(node, args, { scope, runtime: frame.runtime })
    return render(node.body, { scope, root: frame.root, runtime: frame.runtime })
  }
  return { kind: 'function', name: node.name, call, shown: `<Macro '${node.name}'>`, attributes }
}

function bindParameters(
  { name, signature, reads }: MacroNode,
  { positional, named }: Arguments,
  { scope, runtime }: { readonly scope: Scope; readonly runtime: Runtime },
): void {
  const { names, defaults } = signature
  const rest = new Map(named)
  const absent: number[] = []
  names.forEach((parameter, index) => {
    const value = index < positional.length ? positional[index] : rest.get(parameter)
    if (index >= positional.length) rest.delete(parameter)
    if (value === undefined) absent.push(index)
    else scope.set(parameter, value)
  })
  if (reads.caller && !names.includes('caller')) {
    scope.set('caller', rest.get('caller') ?? undefinedValue('No caller defined'))
    rest.delete('caller')
  }
  const [extra] = rest.keys()
  if (!reads.kwargs && extra !== undefined) throw typeError(`macro '${name}' takes no keyword argument '${extra}'`)
  if (!reads.varargs && positional.length > names.length) throw typeError(`macro '${name}' takes not more than ${names.length} argument(s)`)
  if (reads.kwargs)
    scope.set('kwargs', { kind: 'dict', entries: new Map([...rest].map(([key, value]): [string, DictEntry] => [key, { key, value }])) })
  if (reads.varargs) scope.set('varargs', tuple(positional.slice(names.length)))
  // A default may use the parameters before it.
  for (const index of absent) {
    const parameter = names[index] ?? ''
    const fallback = defaults[index - (names.length - defaults.length)]
    scope.set(parameter, fallback ? evaluate(fallback, scope, runtime) : undefinedValue(`parameter '${parameter}' was not provided`))
  }
}

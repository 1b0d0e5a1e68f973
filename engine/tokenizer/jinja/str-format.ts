// str.format and str.format_map, as the sandbox of jinja2 3.1.6 runs them: fields reach what a template's own expressions reach.
import type { Reach } from './reach'
import { asciiOf, formatValue } from './format-spec'
import { PythonError, valueError } from './failures'
import { htmlEscape } from './markup'
import { repr, str } from './repr'
import { type Arguments, type Value, isObject } from './values'

/** Fields within the specification of a field, and no deeper. */
const MAX_FIELD_DEPTH = 2

/** format.format(*positional, **named); with `escapes` values are made HTML, as a Markup's. Throws ValueError, KeyError, IndexError. */
export function braceFormat(
  format: string,
  args: Arguments,
  { reach, escapes = false }: { readonly reach: Reach; readonly escapes?: boolean },
): string {
  const { budget } = reach
  let automatic = 0
  let manual = false
  let length = 0

  const valueOf = (name: string): Value => {
    const [, first = '', rest = ''] = /^([^.[]*)([^]*)$/.exec(name) ?? []
    let key = first
    if (first === '') {
      if (manual) throw valueError('cannot switch from manual field specification to automatic field numbering')
      key = String(automatic++)
    } else if (/^\d+$/.test(first)) {
      if (automatic > 0) throw valueError('cannot switch from automatic field numbering to manual field specification')
      manual = true
    }
    let value = /^\d+$/.test(key) ? args.positional[Number(key)] : args.named.get(key)
    if (value === undefined) {
      if (/^\d+$/.test(key)) throw new PythonError('IndexError', 'Replacement index out of range for positional args tuple')
      throw new PythonError('KeyError', `'${key}'`)
    }
    for (const step of stepsOf(rest)) {
      value = step.kind === 'attribute' ? reach.attributeOf(value, step.name) : reach.itemOf(value, step.index)
    }
    return value
  }

  const render = (text: string, depth: number): string => {
    if (depth < 0) throw valueError('Max string recursion exceeded')
    let result = ''
    for (let at = 0; at < text.length;) {
      const open = nextBrace(text, at)
      result += text.slice(at, open)
      if (open === text.length) break
      const brace = text.charAt(open)
      if (text[open + 1] === brace) {
        result += brace
        at = open + 2
        continue
      }
      if (brace === '}') throw valueError("Single '}' encountered in format string")
      const close = closingBrace(text, open)
      result += field(text.slice(open + 1, close), depth)
      at = close + 1
    }
    return result
  }

  const field = (text: string, depth: number): string => {
    const [, name = '', , conversion, , spec = ''] = /^([^!:{}[]*(?:\[[^\]]*\][^!:{}[]*)*)(!([^:]?))?(:([^]*))?$/.exec(text) ?? fieldError()
    const value = valueOf(name)
    const inner = render(spec, depth - 1)
    const isMarkup = isObject(value) && value.kind === 'markup'
    const converted: Value =
      conversion === undefined
        ? value
        : conversion === 'r'
          ? repr(value, budget)
          : conversion === 's'
            ? str(value, budget)
            : conversion === 'a'
              ? asciiOf(repr(value, budget))
              : fieldError()
    const shown = formatValue(converted, inner, budget)
    budget.characters((length += shown.length))
    budget.text(shown.length)
    return escapes && !(isMarkup && conversion === undefined) ? htmlEscape(shown) : shown
  }

  return render(format, MAX_FIELD_DEPTH)
}

function fieldError(): never {
  throw valueError('a replacement field is malformed')
}

function nextBrace(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if (text[at] === '{' || text[at] === '}') return at
  return text.length
}

function closingBrace(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at
  }
  throw valueError("expected '}' before end of string")
}

type Step = { readonly kind: 'attribute'; readonly name: string } | { readonly kind: 'item'; readonly index: Value }

function stepsOf(path: string): Step[] {
  const steps: Step[] = []
  for (let rest = path; rest !== '';) {
    const match = /^(?:\.([^.[]+)|\[([^\]]+)\])/.exec(rest)
    if (!match) throw valueError('Empty attribute in format string')
    const [whole, attribute, index = ''] = match
    if (attribute !== undefined) steps.push({ kind: 'attribute', name: attribute })
    else steps.push({ kind: 'item', index: /^\d+$/.test(index) ? BigInt(index) : index })
    rest = rest.slice(whole.length)
  }
  return steps
}

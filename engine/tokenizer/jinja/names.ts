// Which of the names that jinja2 gives a macro's body by their use (caller, kwargs, varargs) that body reads. Follows jinja2 3.1.6 (compiler.py, find_undeclared).
import type { MacroNode, Statement } from './nodes'

/** Looks through a body and everything in it. */
export function reads(body: readonly Statement[]): MacroNode['reads'] {
  const found = new Set<string>()
  visit(body, found)
  return { caller: found.has('caller'), kwargs: found.has('kwargs'), varargs: found.has('varargs') }
}

function visit(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, found)
    return
  }
  if (typeof node !== 'object' || node === null) return
  // The bodies of blocks are functions of their own in jinja2.
  if ('kind' in node && node.kind === 'block') return
  if ('kind' in node && 'name' in node && node.kind === 'name' && typeof node.name === 'string') found.add(node.name)
  for (const child of Object.values(node)) visit(child, found)
}

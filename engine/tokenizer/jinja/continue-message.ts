// A prompt that ends inside the last message, for a reply that goes on with it. Follows Transformers 5.18 (chat_template_utils.py, continue_final_message).
import { engineError } from '../../errors'
import { contains } from './compare'
import type { Budget } from './budget'
import { pythonStrip } from './python-space'
import { type DictEntry, type DictValue, type Value, isObject, list, textOf } from './values'

const TAG = 'CONTINUE_FINAL_MESSAGE_TAG '

/** The variables with a mark behind the last message, and how the prompt is cut there. */
export interface ContinuedMessage {
  readonly variables: Map<string, Value>
  readonly cut: (prompt: string) => string
}

/** `field` is the part of the message to go on with, `content` as a rule. Throws "template/cannot-continue". */
export function markFinalMessage(
  variables: ReadonlyMap<string, Value>,
  { field, source, budget }: { readonly field: string; readonly source: string; readonly budget: Budget },
): ContinuedMessage {
  const refuse = (reason: string) => engineError('template/cannot-continue', { source, reason })
  const messages = variables.get('messages') ?? null
  const items = isObject(messages) && messages.kind === 'list' ? messages.items : []
  const last = items.at(-1) ?? null
  if (!isObject(last) || last.kind !== 'dict') throw refuse('there is no last message')
  const value = last.entries.get(field)?.value ?? null
  const marked = markedValue(value)
  if (marked === null) throw refuse(`the last message has no "${field}" to go on with`)
  const changed = new Map(variables)
  changed.set('messages', list([...items.slice(0, -1), withEntry(last, field, marked.value)]))
  const wanted = pythonStrip(marked.text, { sides: 'both' })
  const cut = (prompt: string): string => {
    const at = prompt.lastIndexOf(TAG.trimEnd())
    if (at === -1 || !contains(prompt, wanted, budget)) throw refuse('the chat template does not print the last message as it is')
    const before = prompt.slice(0, at)
    // Where the blank behind the mark is gone, the template strips the message.
    return prompt.startsWith(TAG, at) ? before : pythonStrip(before, { sides: 'right' })
  }
  return { variables: changed, cut }
}

function withEntry(dict: DictValue, key: string, value: Value): DictValue {
  return { kind: 'dict', entries: new Map<unknown, DictEntry>([...dict.entries, [key, { key, value }]]) }
}

/** The value with the mark behind its text; of a list of parts the last one with a text has it. */
function markedValue(value: Value): { readonly value: Value; readonly text: string } | null {
  const text = textOf(value)
  if (text !== null) return { value: text + TAG, text }
  if (!isObject(value) || value.kind !== 'list') return null
  for (let index = value.items.length - 1; index >= 0; index--) {
    const part = value.items[index] ?? null
    const inner = isObject(part) && part.kind === 'dict' ? textOf(part.entries.get('text')?.value) : null
    if (inner === null || !isObject(part) || part.kind !== 'dict') continue
    return { value: list(value.items.with(index, withEntry(part, 'text', inner + TAG))), text: inner }
  }
  return null
}

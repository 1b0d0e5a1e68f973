// GGUF metadata as text for people: scalars as they are, long strings cut, arrays by length, type and first elements.
import type { GgufValue } from './values'

/** A chat template is shown whole; an embedded tokenizer.json is not. */
const MAX_SHOWN_CHARACTERS = 16_384

function valueText(value: GgufValue): string {
  if (value.type === 'array') {
    const { elementType, count, preview } = value
    const first = preview.map((element) => (typeof element === 'string' ? JSON.stringify(element) : String(element)))
    return `${elementType} [${count}]${count === 0 ? '' : `: ${first.join(', ')}${count > preview.length ? ', …' : ''}`}`
  }
  const text = String(value.value)
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}… (${text.length} characters)` : text
}

/** The metadata of a file, every value as text. */
export function metadataText(metadata: ReadonlyMap<string, GgufValue>): Readonly<Record<string, string>> {
  // fromEntries defines own properties, so that a key `__proto__` stays data.
  return Object.fromEntries([...metadata].map(([key, value]) => [key, valueText(value)]))
}

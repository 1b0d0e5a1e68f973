// str.isalpha and its kind. Follows Python 3.11; Unicode's classes are those of the JavaScript engine.
import { isPythonSpace } from './python-space'
import { isCased } from './text-shapes'

const DIGIT =
  /^(?:\p{Nd}|[\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792])$/u
const EACH: Readonly<Record<string, (character: string) => boolean>> = {
  isalnum: (c) => /^[\p{L}\p{N}]$/u.test(c),
  isalpha: (c) => /^\p{L}$/u.test(c),
  isdecimal: (c) => /^\p{Nd}$/u.test(c),
  isdigit: (c) => DIGIT.test(c),
  isnumeric: (c) => /^\p{N}$/u.test(c),
  isspace: isPythonSpace,
}

/** Whether the text is of the class that the method of str asks for. */
export function textClass(name: string, text: string): boolean {
  const each = Object.hasOwn(EACH, name) ? EACH[name] : undefined
  if (each) return text !== '' && Array.from(text).every(each)
  switch (name) {
    case 'isascii':
      return /^[\0-\x7f]*$/.test(text)
    case 'isprintable':
      return !/[^\P{C}]|[\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(text)
    case 'isidentifier':
      return /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(text)
    case 'islower':
      return isLower(text)
    case 'isupper':
      return Array.from(text).some(isCased) && !/[\p{Lowercase}\p{Lt}]/u.test(text)
    default:
      return isTitle(text)
  }
}

/** str.islower. */
export function isLower(text: string): boolean {
  return Array.from(text).some(isCased) && !/[\p{Uppercase}\p{Lt}]/u.test(text)
}

function isTitle(text: string): boolean {
  let inWord = false
  let hasCased = false
  for (const character of text) {
    const upper = /^[\p{Uppercase}\p{Lt}]$/u.test(character)
    if (isCased(character)) {
      if (upper === inWord) return false
      hasCased = true
    }
    inWord = isCased(character)
  }
  return hasCased
}

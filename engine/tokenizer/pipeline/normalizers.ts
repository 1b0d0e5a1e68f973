// Normalizers of tokenizer.json. Follows Hugging Face tokenizers 0.23 (tokenizers/src/normalizers).
import { isJsonObject, type JsonObject, type JsonValue } from '../../bytes/json'
import { engineError } from '../../errors'
import { textToByteCharacters } from '../byte-level'
import { MAX_TEXT_CHARACTERS } from '../input-text'
import { isWhitespace } from './characters'
import { readPattern } from './pattern'
import { readPrecompiled } from './precompiled'
import { MAX_STEPS_IN_SEQUENCE } from './pre-tokenizers'

/** Changes a text before it is cut. */
export type Normalize = (text: string) => string

/** No normalizer of a public model makes a text more than three times as long (byte-level characters of CJK). */
const MAX_NORMALIZED_CHARACTERS = MAX_TEXT_CHARACTERS * 4

/** Reads a normalizer; null changes nothing. Throws "tokenizer/unsupported", "tokenizer/corrupt-json", "tokenizer/limit-exceeded". */
export function readNormalizer(config: JsonValue | undefined, path: string): Normalize {
  if (config === null || config === undefined) return (text) => text
  if (!isJsonObject(config)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a normalizer is not an object' })
  const normalize = stepOf(config, path)
  return (text) => checkedLength(normalize(text), path)
}

function stepOf(config: JsonObject, path: string): Normalize {
  const type = config['type']
  switch (type) {
    case 'Sequence':
      return readSequence(config, path)
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => normalizeForm(text, type)
    case 'Lowercase':
      return lowercase
    case 'Strip':
      return (text) => strip(text, { left: config['strip_left'] === true, right: config['strip_right'] === true })
    case 'StripAccents':
      return (text) => text.replace(/\p{M}/gu, '')
    case 'Replace':
      return readReplace(config, path)
    case 'Prepend': {
      const prefix = config['prepend']
      if (typeof prefix !== 'string') throw engineError('tokenizer/corrupt-json', { path, reason: 'a Prepend has no text' })
      // Nothing is put before nothing.
      return (text) => (text === '' ? '' : prefix + text)
    }
    case 'Nmt':
      return nmt
    case 'BertNormalizer':
      return readBert(config)
    case 'ByteLevel':
      return textToByteCharacters
    case 'Precompiled':
      return readPrecompiled(config['precompiled_charsmap'], path)
    default:
      throw engineError('tokenizer/unsupported', { path, what: `the normalizer ${typeof type === 'string' ? type : 'without a type'}` })
  }
}

/** Characters whose decomposition is younger than the tables of the library's normalizer; the era name of 2019 is the one that texts have. */
const UNDECOMPOSED =
  /([\u{32ff}\u{a7f1}-\u{a7f4}\u{ab69}\u{10781}-\u{107ba}\u{1ccd6}-\u{1ccf9}\u{1e030}-\u{1e06d}\u{1f16c}\u{1fbf0}-\u{1fbf9}]+)/u

function normalizeForm(text: string, form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): string {
  if (!UNDECOMPOSED.test(text)) return text.normalize(form)
  return text
    .split(UNDECOMPOSED)
    .map((part, index) => (index % 2 === 1 ? part : part.normalize(form)))
    .join('')
}

function checkedLength(text: string, path: string): string {
  if (text.length <= MAX_NORMALIZED_CHARACTERS) return text
  throw engineError('tokenizer/limit-exceeded', {
    path,
    what: 'the length of the normalized text',
    found: text.length,
    max: MAX_NORMALIZED_CHARACTERS,
  })
}

function readSequence(config: JsonObject, path: string): Normalize {
  const parts = config['normalizers']
  if (!Array.isArray(parts)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a normalizer sequence has no list' })
  if (parts.length > MAX_STEPS_IN_SEQUENCE) {
    throw engineError('tokenizer/limit-exceeded', {
      path,
      what: 'the number of normalizers in a sequence',
      found: parts.length,
      max: MAX_STEPS_IN_SEQUENCE,
    })
  }
  const steps = parts.map((part: JsonValue) => readNormalizer(part, path))
  return (text) => steps.reduce((current, step) => step(current), text)
}

/** char::to_lowercase looks at no neighbours: a final sigma stays an ordinary one. */
function lowercase(text: string): string {
  // Only Greek has such a rule; everything else may be done at once.
  return /\u03a3/.test(text) ? Array.from(text, (character) => character.toLowerCase()).join('') : text.toLowerCase()
}

function strip(text: string, sides: { readonly left: boolean; readonly right: boolean }): string {
  let start = 0
  let end = text.length
  if (sides.left) while (start < end && isWhitespace(text.charAt(start))) start++
  if (sides.right) while (end > start && isWhitespace(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

/** Replaces what a pattern matches; the content is a text, not a template. Throws "tokenizer/limit-exceeded" before a result gets too long. */
export function readReplace(config: JsonObject, path: string): Normalize {
  const find = readPattern(config['pattern'], path)
  const content = config['content']
  if (typeof content !== 'string') throw engineError('tokenizer/corrupt-json', { path, reason: 'a Replace has no content' })
  return (text) => {
    const stretches = find(text)
    const matches = stretches.filter(({ isMatch }) => isMatch).length
    if (matches === 0) return text
    if (matches * content.length > MAX_NORMALIZED_CHARACTERS) {
      throw engineError('tokenizer/limit-exceeded', {
        path,
        what: 'the length of the normalized text',
        found: matches * content.length,
        max: MAX_NORMALIZED_CHARACTERS,
      })
    }
    return stretches.map(({ start, end, isMatch }) => (isMatch ? content : text.slice(start, end))).join('')
  }
}

/** Control characters that Nmt drops, and characters that become a space, as code points and ranges. */
const NMT_DROPPED = ranges('1-8 B E-1F 7F 8F 9F')
const NMT_SPACES = ranges('9 A C D 1680 200B-200F 2028 2029 2581 FEFF FFFD')

function ranges(text: string): ReadonlySet<number> {
  return new Set(
    text.split(' ').flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map((code) => Number.parseInt(code, 16))
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    }),
  )
}

function nmt(text: string): string {
  let result = ''
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (!NMT_DROPPED.has(code)) result += NMT_SPACES.has(code) ? ' ' : character
  }
  return result
}

const CHINESE =
  /[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{f900}-\u{faff}\u{2f800}-\u{2fa1f}]/gu

function readBert(config: JsonObject): Normalize {
  const lowers = config['lowercase'] !== false
  const stripsAccents = typeof config['strip_accents'] === 'boolean' ? config['strip_accents'] : lowers
  const cleans = config['clean_text'] !== false
  const spacesChinese = config['handle_chinese_chars'] !== false
  return (given) => {
    let text = given
    if (cleans) text = text.replace(/[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]/gu, '').replace(/\p{White_Space}/gu, ' ')
    if (spacesChinese) text = text.replace(CHINESE, ' $& ')
    if (stripsAccents) text = normalizeForm(text, 'NFD').replace(/\p{Mn}/gu, '')
    return lowers ? lowercase(text) : text
  }
}

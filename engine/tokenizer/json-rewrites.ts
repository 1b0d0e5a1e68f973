// Rewrites parts of a tokenizer.json so that @huggingface/tokenizers 0.2.0 gives the ids of the Rust library 0.23. Each rewrite names what differs.
import { isJsonObject, type JsonObject, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'

/** ByteLevel's own expression. The package's copy is a JavaScript one, whose \s has U+FEFF and lacks U+0085. */
const GPT_2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
/** ASCII symbols count as punctuation beside the Unicode category. */
const PUNCTUATION = '[\\p{P}\\x21-\\x2F\\x3A-\\x40\\x5B-\\x60\\x7B-\\x7E]'

const PRE_TOKENIZERS: ReadonlySet<string> = new Set(['Split', 'ByteLevel', 'FixedLength'])
const NORMALIZERS: ReadonlySet<string> = new Set([
  'NFC',
  'NFD',
  'NFKC',
  'NFKD',
  'StripAccents',
  'Lowercase',
  'BertNormalizer',
  'Precompiled',
])

const split = (regex: string, behavior: 'Isolated' | 'Removed'): JsonObject => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior,
  invert: false,
})
/** Keeps what matches and drops the rest. */
const keep = (regex: string): JsonObject => ({ type: 'Split', pattern: { Regex: regex }, behavior: 'Removed', invert: true })
const sequence = (pretokenizers: readonly JsonValue[]): JsonObject => ({ type: 'Sequence', pretokenizers })

/** Rewrites a pre-tokenizer. Throws "tokenizer/unsupported" for a kind or an option the package does not have. */
export function rewritePreTokenizer(config: JsonValue | undefined, path: string): JsonValue {
  if (config === null || config === undefined) return null
  if (!isJsonObject(config)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a pre-tokenizer is not an object' })
  switch (config['type']) {
    case 'Sequence': {
      const parts = config['pretokenizers']
      return sequence(Array.isArray(parts) ? parts.map((part: JsonValue) => rewritePreTokenizer(part, path)) : [])
    }
    case 'ByteLevel':
      return rewriteByteLevel(config)
    case 'Digits':
      // \d of JavaScript is ASCII; the library asks char::is_numeric.
      return split(config['individual_digits'] === true ? '\\p{N}' : '\\p{N}+', 'Isolated')
    case 'Metaspace':
      return rewriteMetaspace(config)
    case 'Whitespace':
      return keep('\\w+|[^\\w\\s]+')
    case 'WhitespaceSplit':
      return keep('\\S+')
    case 'Punctuation':
      return rewriteSplit({ pattern: { Regex: PUNCTUATION }, behavior: config['behavior'] ?? 'Isolated' }, path)
    case 'BertPreTokenizer':
      return sequence([keep('\\S+'), split(PUNCTUATION, 'Isolated')])
    case 'Split':
      return rewriteSplit(config, path)
    default:
      return known(config, { path, kinds: PRE_TOKENIZERS, what: 'the pre-tokenizer' })
  }
}

function rewriteByteLevel(config: JsonObject): JsonObject {
  const bytes: JsonObject = { type: 'ByteLevel', add_prefix_space: false, use_regex: false }
  const parts: JsonObject[] = []
  // The space comes before the text is cut, so that it is one piece with the first word.
  if (config['add_prefix_space'] === true) parts.push({ type: 'Replace', ...inFront(' ', '[^ ]') })
  if (config['use_regex'] !== false) parts.push(split(GPT_2, 'Isolated'))
  return sequence([...parts, bytes])
}

/** The package does not cut before the spaces, and does not know the older way to say that none is put in front. */
function rewriteMetaspace(config: JsonObject): JsonObject {
  const replacement = typeof config['replacement'] === 'string' ? config['replacement'] : '\u2581'
  const scheme = config['prepend_scheme'] ?? (config['add_prefix_space'] === false ? 'never' : 'always')
  const metaspace: JsonObject = { type: 'Metaspace', replacement, prepend_scheme: scheme }
  if (config['split'] === false) return metaspace
  const mark = escapeRegex(replacement)
  return sequence([metaspace, split(`${mark}[^${mark}]*`, 'Isolated')])
}

/** The package cuts out matches (Isolated) or drops them (Removed); the other behaviours are said with another expression. */
function rewriteSplit(config: JsonObject, path: string): JsonObject {
  const pattern = config['pattern']
  const regex = isJsonObject(pattern) ? regexOf(pattern) : null
  if (regex === null) throw engineError('tokenizer/corrupt-json', { path, reason: 'a Split has no pattern' })
  const invert = config['invert'] === true
  const behavior = config['behavior']
  if (behavior === 'Removed') return invert ? keep(regex) : split(regex, 'Removed')
  // Cut out or between: the pieces are the same.
  if (behavior === 'Isolated') return split(regex, 'Isolated')
  const other = '[\\s\\S]'
  if (behavior === 'Contiguous' && !invert) return split(`(?:${regex})+`, 'Isolated')
  if (behavior === 'MergedWithPrevious' && !invert) return split(`(?:(?!(?:${regex}))${other})*(?:${regex})`, 'Isolated')
  if (behavior === 'MergedWithNext' && !invert) return split(`(?:${regex})(?:(?!(?:${regex}))${other})*`, 'Isolated')
  throw engineError('tokenizer/unsupported', {
    path,
    what: `a Split that is ${invert ? 'inverted and ' : ''}${typeof behavior === 'string' ? behavior : 'without a behaviour'}`,
  })
}

function regexOf(pattern: JsonObject): string | null {
  if (typeof pattern['Regex'] === 'string') return pattern['Regex']
  return typeof pattern['String'] === 'string' ? escapeRegex(pattern['String']) : null
}

/** Puts `text` before a text that begins with `first`. An expression that matches nothing else would also match between surrogates. */
function inFront(text: string, first: string): JsonObject {
  return { pattern: { Regex: `\\A(${first})` }, content: `${literal(text)}$1` }
}

/** The package hands replacements to String.replace, where a dollar sign is a command. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Rewrites a normalizer. Throws "tokenizer/unsupported" for a kind the package does not have. */
export function rewriteNormalizer(config: JsonValue | undefined, path: string): JsonValue {
  if (config === null || config === undefined) return null
  if (!isJsonObject(config)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a normalizer is not an object' })
  switch (config['type']) {
    case 'Sequence': {
      const parts = config['normalizers']
      return { type: 'Sequence', normalizers: Array.isArray(parts) ? parts.map((part: JsonValue) => rewriteNormalizer(part, path)) : [] }
    }
    case 'Strip': {
      // trim() of JavaScript takes U+FEFF along.
      const sides = [config['strip_left'] === true ? '\\A\\s+' : null, config['strip_right'] === true ? '\\s+\\z' : null].filter(
        (side) => side !== null,
      )
      return { type: 'Sequence', normalizers: sides.map((side) => ({ type: 'Replace', pattern: { Regex: side }, content: '' })) }
    }
    case 'Prepend':
      // Nothing is put before nothing.
      return { type: 'Replace', ...inFront(typeof config['prepend'] === 'string' ? config['prepend'] : '', '[\\s\\S]') }
    case 'Replace':
      return typeof config['content'] === 'string' ? { ...config, content: literal(config['content']) } : config
    default:
      return known(config, { path, kinds: NORMALIZERS, what: 'the normalizer' })
  }
}

function known(
  config: JsonObject,
  options: { readonly path: string; readonly kinds: ReadonlySet<string>; readonly what: string },
): JsonObject {
  const type = config['type']
  if (typeof type === 'string' && options.kinds.has(type)) return config
  throw engineError('tokenizer/unsupported', {
    path: options.path,
    what: `${options.what} ${typeof type === 'string' ? type : 'without a type'}`,
  })
}

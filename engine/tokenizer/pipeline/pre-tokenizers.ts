// Pre-tokenizers of tokenizer.json: they cut a normalized text into the pieces that the model sees. Follows Hugging Face tokenizers 0.23 (tokenizers/src/pre_tokenizers).
import { isJsonObject, type JsonObject, type JsonValue } from '../../bytes/json'
import { engineError } from '../../errors'
import { textToByteCharacters } from '../byte-level'
import { isNumeric, isPunctuation, isWhitespace, isWordCharacter } from './characters'
import { characterPattern, expressionPattern, readPattern, type FindStretches } from './pattern'
import { splitByScript } from './scripts'
import { readBehavior, splitPieces, type Piece, type SplitBehavior } from './split'

/** One step: pieces in, pieces out. */
export type PreTokenize = (pieces: readonly Piece[]) => readonly Piece[]

/** Public files have up to five steps in a row. */
export const MAX_STEPS_IN_SEQUENCE = 1000

/** ByteLevel's own expression, GPT-2's. */
const GPT_2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/** Reads a pre-tokenizer; null cuts nothing. Throws "tokenizer/unsupported", "tokenizer/corrupt-json", "tokenizer/limit-exceeded". */
export function readPreTokenizer(config: JsonValue | undefined, path: string): PreTokenize {
  if (config === null || config === undefined) return (pieces) => pieces
  if (!isJsonObject(config)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a pre-tokenizer is not an object' })
  switch (config['type']) {
    case 'Sequence':
      return readSequence(config, path)
    case 'ByteLevel':
      return readByteLevel(config, path)
    case 'Digits':
      return splitter(characterPattern(isNumeric), config['individual_digits'] === true ? 'Isolated' : 'Contiguous')
    case 'Metaspace':
      return readMetaspace(config)
    case 'Whitespace':
      return splitWords
    case 'WhitespaceSplit':
      return splitter(characterPattern(isWhitespace), 'Removed')
    case 'Punctuation':
      return splitter(characterPattern(isPunctuation), readBehavior(config['behavior'] ?? 'Isolated', path))
    case 'BertPreTokenizer': {
      const words = splitter(characterPattern(isWhitespace), 'Removed')
      const marks = splitter(characterPattern(isPunctuation), 'Isolated')
      return (pieces) => marks(words(pieces))
    }
    case 'CharDelimiterSplit': {
      const delimiter = config['delimiter']
      if (typeof delimiter !== 'string') throw engineError('tokenizer/corrupt-json', { path, reason: 'a delimiter is not a character' })
      return splitter(
        characterPattern((character) => character === delimiter),
        'Removed',
      )
    }
    case 'Split':
      return splitter(readPattern(config['pattern'], path), readBehavior(config['behavior'], path), { invert: config['invert'] === true })
    case 'UnicodeScripts':
      return splitByScript
    case 'FixedLength':
      return readFixedLength(config, path)
    default: {
      const type = config['type']
      throw engineError('tokenizer/unsupported', { path, what: `the pre-tokenizer ${typeof type === 'string' ? type : 'without a type'}` })
    }
  }
}

/** Runs of word characters, and runs of what is neither that nor a space: `\w+|[^\w\s]+` of Rust's regex crate. */
function splitWords(pieces: readonly Piece[]): readonly Piece[] {
  const words = splitPieces(pieces, { find: characterPattern(isWhitespace), behavior: 'Removed' })
  return splitPieces(words, { find: characterPattern(isWordCharacter), behavior: 'Contiguous' })
}

function splitter(find: FindStretches, behavior: SplitBehavior, options: { readonly invert?: boolean } = {}): PreTokenize {
  return (pieces) => splitPieces(pieces, { find, behavior, ...options })
}

function readSequence(config: JsonObject, path: string): PreTokenize {
  const parts = config['pretokenizers']
  if (!Array.isArray(parts)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a pre-tokenizer sequence has no list' })
  if (parts.length > MAX_STEPS_IN_SEQUENCE) {
    throw engineError('tokenizer/limit-exceeded', {
      path,
      what: 'the number of pre-tokenizers in a sequence',
      found: parts.length,
      max: MAX_STEPS_IN_SEQUENCE,
    })
  }
  const steps = parts.map((part: JsonValue) => readPreTokenizer(part, path))
  return (pieces) => steps.reduce<readonly Piece[]>((current, step) => step(current), pieces)
}

function readByteLevel(config: JsonObject, path: string): PreTokenize {
  const addsSpace = config['add_prefix_space'] === true
  const find = config['use_regex'] === false ? null : expressionPattern(GPT_2, path)
  return (pieces) => {
    const spaced = addsSpace ? pieces.map(({ text, atStart }) => ({ text: text.startsWith(' ') ? text : ` ${text}`, atStart })) : pieces
    const words = find ? splitPieces(spaced, { find, behavior: 'Isolated' }) : spaced
    return words.map(({ text, atStart }) => ({ text: textToByteCharacters(text), atStart }))
  }
}

function readMetaspace(config: JsonObject): PreTokenize {
  const replacement = typeof config['replacement'] === 'string' ? config['replacement'] : '\u2581'
  // The older way to say that none is put in front.
  const scheme = config['prepend_scheme'] ?? (config['add_prefix_space'] === false ? 'never' : 'always')
  const cuts = config['split'] !== false
  const find = readPattern(replacement, '')
  return (pieces) => {
    const marked = pieces.map(({ text, atStart }) => {
      const replaced = text.replaceAll(' ', () => replacement)
      const prepends = !replaced.startsWith(replacement) && (scheme === 'always' || (scheme === 'first' && atStart))
      return { text: prepends ? replacement + replaced : replaced, atStart }
    })
    return cuts ? splitPieces(marked, { find, behavior: 'MergedWithNext' }) : marked
  }
}

function readFixedLength(config: JsonObject, path: string): PreTokenize {
  const length = config['length'] ?? 5
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 1)
    throw engineError('tokenizer/corrupt-json', { path, reason: 'the length of FixedLength is not a whole number from 1' })
  return (pieces) =>
    pieces.flatMap(({ text, atStart }) => {
      const characters = Array.from(text)
      const result: Piece[] = []
      for (let start = 0; start < characters.length; start += length)
        result.push({ text: characters.slice(start, start + length).join(''), atStart: atStart && start === 0 })
      return result
    })
}

// Decoders of tokenizer.json as chains of steps that take tokens one by one. Follows the decoders of Hugging Face tokenizers 0.23 (tokenizers/src/decoders).
import { isJsonObject, type JsonObject, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'
import { bytesOfToken } from './byte-level'
import { readReplace } from './pipeline/normalizers'
import { tokenizeWithin } from './tokenize-within'

/** One step of a chain: a token in, the tokens that are complete out; `end` gives the rest. */
interface DecoderStep {
  readonly push: (token: string) => readonly string[]
  readonly end: () => readonly string[]
}

/** Makes the steps of a decoder anew for every text. */
export type DecoderFactory = () => DecoderStep

/**
 * Builds the decoder `config` describes; null joins tokens with spaces, as the library does without one.
 * Throws "tokenizer/unsupported", "tokenizer/corrupt-json".
 */
export function createDecoder(config: JsonValue | undefined, path: string): DecoderFactory {
  if (config === null || config === undefined) return eachToken((token, index) => (index === 0 ? token : ` ${token}`))
  const factories = flatten(config, path).map((part) => ({
    factory: stepOf(part, path),
    fuses: part['type'] === 'Fuse' || part['type'] === 'ByteLevel',
  }))
  const steps: DecoderFactory[] = []
  let fused = false
  for (const { factory, fuses } of factories) {
    // After Fuse the whole text is one token. Only a step that says how it streams then can do without collecting it.
    steps.push(fused ? (factory.whenFused ?? collected(factory.step)) : factory.step)
    fused ||= fuses
  }
  return chain(steps)
}

interface StepFactory {
  readonly step: DecoderFactory
  /** The step for a text that arrives in parts but counts as one token. */
  readonly whenFused?: DecoderFactory
}

function flatten(config: JsonValue, path: string): JsonObject[] {
  if (!isJsonObject(config)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a decoder is not an object' })
  if (config['type'] !== 'Sequence') return [config]
  const parts = config['decoders']
  if (!Array.isArray(parts)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a decoder sequence has no list of decoders' })
  return parts.flatMap((part: JsonValue) => flatten(part, path))
}

function stepOf(config: JsonObject, path: string): StepFactory {
  const type = config['type']
  switch (type) {
    case 'ByteLevel':
      return { step: byteLevel }
    case 'ByteFallback':
      return { step: byteFallback }
    case 'Fuse':
      return { step: eachToken((token) => token), whenFused: eachToken((token) => token) }
    case 'Replace':
      return { step: replace(config, path) }
    case 'Strip':
      return strip(config)
    case 'Metaspace':
      return { step: metaspace(config) }
    case 'WordPiece':
      return { step: wordPiece(config) }
    case 'CTC':
      return { step: ctc(config) }
    case 'BPEDecoder':
      return { step: bpe(config) }
    default:
      throw engineError('tokenizer/unsupported', { path, what: `the decoder ${typeof type === 'string' ? type : 'without a type'}` })
  }
}

function chain(factories: readonly DecoderFactory[]): DecoderFactory {
  return () => {
    const steps = factories.map((factory) => factory())
    const through = (tokens: readonly string[], from: number): readonly string[] =>
      steps.slice(from).reduce((current, step) => current.flatMap(step.push), tokens)
    return {
      push: (token) => through([token], 0),
      end: () => steps.flatMap((step, index) => through(step.end(), index + 1)),
    }
  }
}

function eachToken(change: (token: string, index: number) => string): DecoderFactory {
  return () => {
    let index = 0
    return { push: (token) => [change(token, index++)], end: () => [] }
  }
}

/** Holds everything back and shows the step one token at the end. */
function collected(factory: DecoderFactory): DecoderFactory {
  return () => {
    let text = ''
    return {
      push: (part) => {
        text += part
        return []
      },
      end: () => {
        const step = factory()
        return [...step.push(text), ...step.end()]
      },
    }
  }
}

/** Bytes written as characters; what is no UTF-8 becomes U+FFFD as `from_utf8_lossy` writes it, which is how TextDecoder does. */
function byteLevel(): DecoderStep {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return {
    push: (token) => [decoder.decode(bytesOfToken(token), { stream: true })],
    end: () => [decoder.decode()],
  }
}

/** A run of tokens `<0x..>` is one token, or a U+FFFD for each of its bytes when it is no text: only the end of a run decides. */
function byteFallback(): DecoderStep {
  let run: number[] = []
  const endRun = (): string[] => {
    if (run.length === 0) return []
    const bytes = Uint8Array.from(run)
    run = []
    try {
      return [new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)]
    } catch {
      return Array.from(bytes, () => '\ufffd')
    }
  }
  return {
    push: (token) => {
      const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1]
      if (hex === undefined) return [...endRun(), token]
      run.push(Number.parseInt(hex, 16))
      return []
    },
    end: endRun,
  }
}

function replace(config: JsonObject, path: string): DecoderFactory {
  const change = readReplace(config, path)
  const { pattern } = config
  if (!isJsonObject(pattern) || pattern['Regex'] === undefined) return eachToken(change)
  // An expression may backtrack without end.
  return eachToken((text) => tokenizeWithin({ path, text }, () => change(text)))
}

/** Repeated tokens are one, the padding is none; the delimiter of words is a space. */
function ctc(config: JsonObject): DecoderFactory {
  const option = (key: string, fallback: string) => (typeof config[key] === 'string' ? config[key] : fallback)
  const pad = option('pad_token', '<pad>')
  const delimiter = option('word_delimiter_token', '|')
  const cleanup = config['cleanup'] !== false
  return () => {
    let last: string | null = null
    return {
      push: (token) => {
        if (token === last) return []
        last = token
        const text = replaceText(token, pad, '')
        const cleaned = cleanup ? replaceText(cleanUp(text), delimiter, ' ') : text
        return cleaned === '' ? [] : [cleaned]
      },
      end: () => [],
    }
  }
}

function number(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0
}

function strip(config: JsonObject): StepFactory {
  const content = typeof config['content'] === 'string' ? config['content'] : ' '
  const limits = { content, start: number(config['start']), stop: number(config['stop']) }
  return { step: eachToken((token) => stripEnd(stripStart(token, limits).text, limits).text), whenFused: () => strippedStream(limits) }
}

interface StripLimits {
  readonly content: string
  readonly start: number
  readonly stop: number
}

function stripStart(text: string, { content, start }: StripLimits): { text: string; count: number } {
  let count = 0
  while (count < start && content !== '' && text.startsWith(content, count * content.length)) count++
  return { text: text.slice(count * content.length), count }
}

function stripEnd(text: string, { content, stop }: StripLimits): { text: string; tail: string } {
  let end = text.length
  for (let count = 0; count < stop && content !== '' && text.endsWith(content) && text.slice(0, end).endsWith(content); count++)
    end -= content.length
  return { text: text.slice(0, end), tail: text.slice(end) }
}

/** Strip over a text in parts: the start is taken off as it comes, a possible end is held back. */
function strippedStream(limits: StripLimits): DecoderStep {
  let left = limits.start
  let atStart = true
  let tail = ''
  return {
    push: (part) => {
      let text = part
      if (atStart) {
        const { text: rest, count } = stripStart(text, { ...limits, start: left })
        text = rest
        left -= count
        if (rest !== '' || left === 0) atStart = false
      }
      const { text: sure, tail: open } = stripEnd(tail + text, limits)
      tail = open
      return [sure]
    },
    end: () => [],
  }
}

function metaspace(config: JsonObject): DecoderFactory {
  const replacement = typeof config['replacement'] === 'string' ? config['replacement'] : '\u2581'
  const scheme = config['prepend_scheme'] ?? (config['add_prefix_space'] === false ? 'never' : 'always')
  return eachToken((token, index) => token.replaceAll(replacement, index === 0 && scheme !== 'never' ? '' : ' '))
}

function wordPiece(config: JsonObject): DecoderFactory {
  const prefix = typeof config['prefix'] === 'string' ? config['prefix'] : '##'
  const cleanup = config['cleanup'] !== false
  return eachToken((token, index) => {
    let text = token
    if (index > 0) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
    return cleanup ? cleanUp(text) : text
  })
}

/** Replaces every occurrence; an empty text is found around every character. */
function replaceText(text: string, from: string, to: string): string {
  return from === '' ? [to, ...Array.from(text, (character) => character + to)].join('') : text.replaceAll(from, () => to)
}

/** The replacements of the library's `cleanup`, in its order. */
function cleanUp(text: string): string {
  const pairs = [
    [' .', '.'],
    [' ?', '?'],
    [' !', '!'],
    [' ,', ','],
    [" ' ", "'"],
    [" n't", "n't"],
    [" 'm", "'m"],
    [' do not', " don't"],
    [" 's", "'s"],
    [" 've", "'ve"],
    [" 're", "'re"],
  ] as const
  return pairs.reduce((current, [from, to]) => current.replaceAll(from, to), text)
}

/** The suffix is a space, but nothing after the last token, which therefore waits for the one behind it. */
function bpe(config: JsonObject): DecoderFactory {
  const suffix = typeof config['suffix'] === 'string' ? config['suffix'] : '</w>'
  return () => {
    let held: string | null = null
    const release = (space: string): string[] => (held === null ? [] : [replaceText(held, suffix, space)])
    return {
      push: (token) => {
        const before = release(' ')
        held = token
        return before
      },
      end: () => release(''),
    }
  }
}

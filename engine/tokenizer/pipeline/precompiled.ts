// The normalizer Precompiled: SentencePiece's character map in a tokenizer.json. Follows the crate spm_precompiled 0.1 that Hugging Face tokenizers 0.23 uses: whole graphemes below six bytes first, then single characters.
import type { JsonValue } from '../../bytes/json'
import { engineError } from '../../errors'

/** The maps of public models have 0.25 MB. */
const MAX_CHARSMAP_BYTES = 16 * 1024 * 1024
/** Longer graphemes are not looked up as a whole. */
const MAX_GRAPHEME_BYTES = 6

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Reads the map from its base64 text. Throws "tokenizer/corrupt-json", "tokenizer/limit-exceeded". */
export function readPrecompiled(value: JsonValue | undefined, path: string): (text: string) => string {
  if (value === null || value === undefined) return (text) => text
  if (typeof value !== 'string') throw engineError('tokenizer/corrupt-json', { path, reason: 'a character map is not a text' })
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length > MAX_CHARSMAP_BYTES) {
    throw engineError('tokenizer/limit-exceeded', {
      path,
      what: 'the size of the character map in bytes',
      found: bytes.length,
      max: MAX_CHARSMAP_BYTES,
    })
  }
  const trieBytes = trieSize(bytes)
  if (bytes.length < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) {
    throw engineError('tokenizer/corrupt-json', {
      path,
      reason: `a character map of ${bytes.length} bytes claims a trie of ${trieBytes} bytes`,
    })
  }
  const map = readCharsmap(bytes)
  const cache = new Map<string, string | null>()
  const lookUp = (chunk: string): string | null => {
    const cached = cache.get(chunk)
    if (cached !== undefined) return cached
    const found = transform(new TextEncoder().encode(chunk), map)
    if (cache.size < 100_000) cache.set(chunk, found)
    return found
  }
  return (text) => normalizeGraphemes(text, lookUp)
}

function normalizeGraphemes(text: string, lookUp: (chunk: string) => string | null): string {
  const parts: string[] = []
  for (const { segment } of segmenter.segment(text)) {
    const whole = Buffer.byteLength(segment) < MAX_GRAPHEME_BYTES ? lookUp(segment) : null
    if (whole !== null) parts.push(whole)
    else for (const character of segment) parts.push(lookUp(character) ?? character)
  }
  return parts.join('')
}

/** A character map: a double array over the UTF-8 of what is replaced, and the replacements, each ended by a zero byte. */
export interface Charsmap {
  readonly trie: Uint32Array
  readonly replacements: Uint8Array
}

function trieSize(bytes: Uint8Array): number {
  return bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
}

/** Reads a map whose sizes have been checked. */
export function readCharsmap(bytes: Uint8Array): Charsmap {
  const trieBytes = trieSize(bytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4 + trieBytes)
  const trie = Uint32Array.from({ length: trieBytes / 4 }, (_, index) => view.getUint32(4 + index * 4, true))
  return { trie, replacements: bytes.subarray(4 + trieBytes) }
}

/** The longest key of the map that stands at a place of a text's UTF-8, as SentencePiece itself looks it up; null where none does. */
export function longestCharsmapMatch(
  { trie, replacements }: Charsmap,
  bytes: Uint8Array,
  at: number,
): { readonly lengthBytes: number; readonly replacement: string } | null {
  let unit = trie[0] ?? 0
  let node = offsetOf(unit)
  let found: { lengthBytes: number; start: number } | null = null
  for (let index = at; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    // The trie ends keys with a zero byte.
    if (byte === 0) break
    node ^= byte
    unit = trie[node] ?? 0
    if ((unit & 0x800000ff) >>> 0 !== byte) break
    node ^= offsetOf(unit)
    if (((unit >>> 8) & 1) === 1) found = { lengthBytes: index + 1 - at, start: (trie[node] ?? 0) & 0x7fffffff }
  }
  return found === null ? null : { lengthBytes: found.lengthBytes, replacement: replacementAt(replacements, found.start) ?? '' }
}

function replacementAt(replacements: Uint8Array, start: number): string | null {
  if (start >= replacements.length) return null
  const end = replacements.indexOf(0, start)
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(replacements.subarray(start, end === -1 ? undefined : end))
}

/** The replacement of the shortest key that the bytes start with, or null. Units of the double array are as in Darts-clone. */
function transform(key: Uint8Array, { trie, replacements }: Charsmap): string | null {
  let node = 0
  let unit = trie[node] ?? 0
  node ^= offsetOf(unit)
  for (const byte of key) {
    // The trie ends keys with a zero byte.
    if (byte === 0) return null
    node ^= byte
    unit = trie[node] ?? 0
    if ((unit & 0x800000ff) >>> 0 !== byte) return null
    node ^= offsetOf(unit)
    if (((unit >>> 8) & 1) === 1) return replacementAt(replacements, (trie[node] ?? 0) & 0x7fffffff)
  }
  return null
}

function offsetOf(unit: number): number {
  return ((unit >>> 10) << ((unit & (1 << 9)) >>> 6)) >>> 0
}

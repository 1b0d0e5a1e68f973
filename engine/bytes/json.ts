// JSON of untrusted files: size and depth limits, duplicate keys refused. Follows RFC 8259; the depth limit is serde_json's, which safetensors and tokenizers use.
import { EngineError, engineError } from '../errors'
import { openRandomAccessFile } from './random-access-file'

/** A parsed JSON value. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject

/** A parsed JSON object; a key may be absent. `__proto__` is an ordinary own key, as JSON.parse makes it. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined
}

/** serde_json refuses deeper nesting, so no real file of these formats has it. */
export const MAX_JSON_DEPTH = 128

/** Configuration files are a few kilobytes; 16 MiB leaves room for label tables and keeps a mistaken file out of memory. */
export const MAX_CONFIG_JSON_BYTES = 16 * 1024 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c

/** Whether a JSON value is an object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Index of the quote that ends the string starting at `start`, or the text's length when it never ends. */
function endOfString(text: string, start: number): number {
  let index = start + 1
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (code === BACKSLASH) index += 2
    else if (code === QUOTE) return index
    else index++
  }
  return text.length
}

function checkDepth(text: string, path: string): void {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) index = endOfString(text, index)
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > MAX_JSON_DEPTH) throw engineError('bytes/json-too-deep', { path, maxDepth: MAX_JSON_DEPTH })
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--
  }
}

/** The string whose quotes stand around `start` to `end`. Only escapes need the parser, and keys hardly ever have them. */
function stringBetween(text: string, start: number, end: number): string {
  const raw = text.slice(start, end)
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
}

/** Expects text that JSON.parse has accepted, so that every bracket and quote is known to match. */
function checkDuplicateKeys(text: string, path: string): void {
  const keysOfOpenObjects: (Set<string> | null)[] = []
  let expectsKey = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) {
      const end = endOfString(text, index)
      const keys = keysOfOpenObjects.at(-1)
      if (expectsKey && keys) {
        const key = stringBetween(text, index + 1, end)
        if (keys.has(key)) throw engineError('bytes/json-duplicate-key', { path, key: key.slice(0, 200) })
        keys.add(key)
        expectsKey = false
      }
      index = end
    } else if (code === OPEN_BRACE) {
      keysOfOpenObjects.push(new Set())
      expectsKey = true
    } else if (code === OPEN_BRACKET) {
      keysOfOpenObjects.push(null)
      expectsKey = false
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) keysOfOpenObjects.pop()
    else if (code === COMMA) expectsKey = keysOfOpenObjects.at(-1) !== null
  }
}

/**
 * Parses JSON bytes of the file `path` (used in messages only).
 * Throws "bytes/invalid-json", "bytes/json-too-deep" (over 128 levels) and "bytes/json-duplicate-key".
 */
export function parseJson(bytes: Uint8Array, path: string): JsonValue {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw engineError('bytes/invalid-json', { path, reason: 'the text is not UTF-8' }, cause)
  }
  checkDepth(text, path)
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue // JSON.parse returns nothing but JSON values
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : 'it cannot be parsed'
    throw engineError('bytes/invalid-json', { path, reason }, cause)
  }
  checkDuplicateKeys(text, path)
  return value
}

/**
 * Reads and parses a JSON file of at most `maxBytes` bytes.
 * Throws "bytes/not-found", "bytes/not-a-regular-file", "bytes/file-too-large" and what parseJson throws.
 */
export async function readJsonFile(
  path: string,
  options: { readonly maxBytes: number; readonly signal?: AbortSignal },
): Promise<JsonValue> {
  using file = await openRandomAccessFile(path)
  if (file.sizeBytes > options.maxBytes) {
    throw engineError('bytes/file-too-large', { path, sizeBytes: file.sizeBytes, maxBytes: options.maxBytes })
  }
  return parseJson(await file.read({ offsetBytes: 0, sizeBytes: file.sizeBytes, ...(options.signal && { signal: options.signal }) }), path)
}

/** Reads a JSON file that a folder may do without: undefined where there is none. Throws what readJsonFile throws for any other reason. */
export async function readOptionalJsonFile(
  path: string,
  options: { readonly maxBytes: number; readonly signal?: AbortSignal },
): Promise<JsonValue | undefined> {
  try {
    return await readJsonFile(path, options)
  } catch (error) {
    if (error instanceof EngineError && error.code === 'bytes/not-found') return undefined
    throw error
  }
}

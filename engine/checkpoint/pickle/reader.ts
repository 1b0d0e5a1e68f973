// Arguments of pickle opcodes, read from bytes with every length checked. Follows CPython 3.13 pickletools.
import { engineError } from '../../errors'
import { MAX_INTEGER_BYTES, MAX_TEXT_BYTES } from './limits'

/** A position in the bytes of a pickle; each method advances it and throws "checkpoint/pickle-truncated" instead of reading past the end. */
export interface PickleReader {
  readonly position: () => number
  readonly u8: () => number
  readonly u16: () => number
  readonly i32: () => number
  readonly u32: () => number
  readonly f64: () => number
  /** A length of 1, 4 or 8 bytes. */
  readonly length: (bytes: 1 | 4 | 8) => number
  readonly bytes: (sizeBytes: number) => Uint8Array
  readonly text: (sizeBytes: number) => string
  /** Text up to the next line feed, without it. */
  readonly line: () => string
  /** Little-endian two's complement. */
  readonly integer: (sizeBytes: number) => number | bigint
  /** Decimal digits of a text opcode, with Python 2's optional L. */
  readonly decimal: () => number | bigint
}

const NEWLINE = 0x0a

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** Makes a reader over `bytes` from `start` on; `path` is for messages. */
export function createPickleReader(bytes: Uint8Array, options: { readonly path: string; readonly start: number }): PickleReader {
  const { path } = options
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = options.start

  const malformed = (reason: string) => engineError('checkpoint/pickle-malformed', { path, offsetBytes: position, reason })
  const advance = (sizeBytes: number): number => {
    if (sizeBytes > bytes.length - position)
      throw engineError('checkpoint/pickle-truncated', { path, offsetBytes: position, neededBytes: sizeBytes })
    const start = position
    position += sizeBytes
    return start
  }
  const slice = (sizeBytes: number): Uint8Array => {
    const start = advance(sizeBytes)
    return bytes.subarray(start, start + sizeBytes)
  }
  const tooLong = (what: string, max: number) => engineError('checkpoint/pickle-limit', { path, what, max })
  const line = (): string => {
    const end = bytes.indexOf(NEWLINE, position)
    if (end < 0) throw engineError('checkpoint/pickle-truncated', { path, offsetBytes: position, neededBytes: 1 })
    if (end - position > MAX_TEXT_BYTES) throw tooLong('bytes of a text', MAX_TEXT_BYTES)
    const text = buffer.toString('utf8', position, end)
    position = end + 1
    return text
  }

  return {
    position: () => position,
    u8: () => view.getUint8(advance(1)),
    u16: () => view.getUint16(advance(2), true),
    i32: () => view.getInt32(advance(4), true),
    u32: () => view.getUint32(advance(4), true),
    f64: () => view.getFloat64(advance(8), false),
    length: (size) => {
      if (size === 1) return view.getUint8(advance(1))
      if (size === 4) return view.getUint32(advance(4), true)
      const length = view.getBigUint64(advance(8), true)
      if (length > BigInt(bytes.length)) {
        throw engineError('checkpoint/pickle-truncated', { path, offsetBytes: position, neededBytes: Number(length) })
      }
      return Number(length)
    },
    bytes: slice,
    text: (sizeBytes) => {
      if (sizeBytes > MAX_TEXT_BYTES) throw tooLong('bytes of a text', MAX_TEXT_BYTES)
      const start = advance(sizeBytes)
      return buffer.toString('utf8', start, start + sizeBytes)
    },
    line,
    integer: (sizeBytes) => {
      if (sizeBytes > MAX_INTEGER_BYTES) throw tooLong('bytes of an integer', MAX_INTEGER_BYTES)
      const digits = slice(sizeBytes)
      if (digits.length === 0) return 0
      const hex = Buffer.from(digits).reverse().toString('hex')
      return narrow(BigInt.asIntN(sizeBytes * 8, BigInt(`0x${hex}`)))
    },
    decimal: () => {
      const text = line().trim().replace(/L$/, '')
      if (text.length > MAX_INTEGER_BYTES) throw tooLong('digits of an integer', MAX_INTEGER_BYTES)
      if (!/^[+-]?\d+$/.test(text)) throw malformed('a number has other characters than digits')
      return narrow(BigInt(text.replace(/^\+/, '')))
    },
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v', '\n': '' }

/** The text of a quoted Python string literal, as the STRING opcode holds it; null when the quotes do not match. */
export function unquotePython(literal: string): string | null {
  const text = literal.trim()
  const quote = text[0]
  if (text.length < 2 || (quote !== "'" && quote !== '"') || !text.endsWith(quote)) return null
  return text.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[^])/g, (_, escape: string) => {
    if (/^x../.test(escape)) return String.fromCharCode(parseInt(escape.slice(1), 16))
    if (/^[0-7]/.test(escape)) return String.fromCharCode(parseInt(escape, 8) & 0xff)
    return ESCAPES[escape] ?? (/^[\\'"]$/.test(escape) ? escape : `\\${escape}`)
  })
}

/** The text of a raw-unicode-escape line, as the UNICODE opcode holds it. */
export function unescapeRawUnicode(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (match, short: string | undefined, long: string | undefined) => {
    const code = parseInt(short ?? long ?? '', 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : match
  })
}

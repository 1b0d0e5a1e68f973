// Opcodes that push plain values, and those that only frame a pickle. Follows CPython 3.13 pickletools; keys are the opcodes' characters.
import type { PickleMachine } from './machine'
import { unescapeRawUnicode, unquotePython } from './reader'
import type { PickleValue } from './values'

const MAX_PROTOCOL = 5

/** Python 2 wrote text as bytes; PyTorch reads such files as UTF-8. What is no UTF-8 stays bytes. */
function textOrBytes(bytes: Uint8Array): PickleValue {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return bytes
  }
}

function pushDecimalOrBoolean(machine: PickleMachine): void {
  const start = machine.reader.position()
  const value = machine.reader.decimal()
  // The only numbers written as two digits with a leading zero are the booleans of protocol 1.
  const isBoolean = machine.reader.position() - start === 3 && (value === 0 || value === 1)
  machine.push(isBoolean ? value === 1 : value)
}

function pushFloat(machine: PickleMachine): void {
  const text = machine.reader.line().trim()
  const named: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity }
  const value = named[text.toLowerCase()] ?? (/^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN)
  if (Number.isNaN(value) && text.toLowerCase() !== 'nan') throw machine.malformed('a number has other characters than digits')
  machine.push(value)
}

function checkProtocol(machine: PickleMachine): void {
  const protocol = machine.reader.u8()
  if (protocol > MAX_PROTOCOL) throw machine.malformed(`it has protocol ${protocol}; the last known is ${MAX_PROTOCOL}`)
}

function pushQuoted(machine: PickleMachine): void {
  const text = unquotePython(machine.reader.line())
  if (text === null) throw machine.malformed('a text has no matching quotes')
  machine.push(text)
}

/** Opcodes of plain values. */
export const VALUE_OPCODES: Readonly<Record<string, (machine: PickleMachine) => void>> = {
  // PROTO and FRAME
  '\x80': checkProtocol,
  '\x95': ({ reader }) => void reader.length(8),
  N: ({ push }) => push(null),
  '\x88': ({ push }) => push(true),
  '\x89': ({ push }) => push(false),
  // INT, LONG, BININT, BININT1, BININT2, LONG1, LONG4
  I: pushDecimalOrBoolean,
  L: ({ push, reader }) => push(reader.decimal()),
  J: ({ push, reader }) => push(reader.i32()),
  K: ({ push, reader }) => push(reader.u8()),
  M: ({ push, reader }) => push(reader.u16()),
  '\x8a': ({ push, reader }) => push(reader.integer(reader.length(1))),
  '\x8b': ({ push, reader }) => push(reader.integer(reader.length(4))),
  // FLOAT, BINFLOAT
  F: pushFloat,
  G: ({ push, reader }) => push(reader.f64()),
  // STRING, BINSTRING, SHORT_BINSTRING
  S: pushQuoted,
  T: ({ push, reader }) => push(textOrBytes(reader.bytes(reader.length(4)))),
  U: ({ push, reader }) => push(textOrBytes(reader.bytes(reader.length(1)))),
  // UNICODE, BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
  V: ({ push, reader }) => push(unescapeRawUnicode(reader.line())),
  X: ({ push, reader }) => push(reader.text(reader.length(4))),
  '\x8c': ({ push, reader }) => push(reader.text(reader.length(1))),
  '\x8d': ({ push, reader }) => push(reader.text(reader.length(8))),
  // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
  B: ({ push, reader }) => push(reader.bytes(reader.length(4))),
  C: ({ push, reader }) => push(reader.bytes(reader.length(1))),
  '\x8e': ({ push, reader }) => push(reader.bytes(reader.length(8))),
  '\x96': ({ push, reader }) => push(reader.bytes(reader.length(8))),
}

// UTF-8 from bytes that arrive one after the other, with the rules of SentencePiece's DecodeUTF8 (src/util.cc): each byte that is part of no character becomes U+FFFD.

const REPLACEMENT = '\ufffd'

/** Decodes bytes one by one; holds back at most three, the start of a character that is not complete. */
export interface Utf8Stream {
  readonly push: (byte: number) => string
  /** Text of the bytes held back, one U+FFFD each; the stream starts anew. */
  readonly flush: () => string
}

/** Makes an empty stream. */
export function createUtf8Stream(): Utf8Stream {
  let held: number[] = []
  return {
    push: (byte) => {
      held.push(byte)
      let text = ''
      while (held.length > 0) {
        const sizeBytes = characterSize(held[0] ?? 0)
        if (sizeBytes > held.length) break
        const character = sizeBytes === 0 ? null : decodeCharacter(held, sizeBytes)
        text += character ?? REPLACEMENT
        held = held.slice(character === null ? 1 : sizeBytes)
      }
      return text
    },
    flush: () => {
      // None of these can be a character: each is a lead byte without its rest, or a continuation byte after one.
      const text = drain(held)
      held = []
      return text
    },
  }
}

function drain(held: readonly number[]): string {
  let text = ''
  let position = 0
  while (position < held.length) {
    const sizeBytes = characterSize(held[position] ?? 0)
    const character = sizeBytes === 0 || position + sizeBytes > held.length ? null : decodeCharacter(held.slice(position), sizeBytes)
    text += character ?? REPLACEMENT
    position += character === null ? 1 : sizeBytes
  }
  return text
}

/** Length of the character that a first byte announces; 0 for a byte that starts none. */
function characterSize(first: number): number {
  if (first < 0x80) return 1
  if ((first & 0xe0) === 0xc0) return 2
  if ((first & 0xf0) === 0xe0) return 3
  if ((first & 0xf8) === 0xf0) return 4
  return 0
}

const SMALLEST = [0, 0, 0x80, 0x800, 0x10000] as const
const LEAD_MASK = [0, 0x7f, 0x1f, 0x0f, 0x07] as const

function decodeCharacter(bytes: readonly number[], sizeBytes: number): string | null {
  let codePoint = (bytes[0] ?? 0) & (LEAD_MASK[sizeBytes] ?? 0)
  for (let index = 1; index < sizeBytes; index++) {
    const byte = bytes[index] ?? 0
    if ((byte & 0xc0) !== 0x80) return null
    codePoint = (codePoint << 6) | (byte & 0x3f)
  }
  const isScalar = codePoint < 0xd800 || (codePoint >= 0xe000 && codePoint <= 0x10ffff)
  return isScalar && codePoint >= (SMALLEST[sizeBytes] ?? 0) ? String.fromCodePoint(codePoint) : null
}

// The alphabet in which byte-level tokenizers write bytes: printable characters stand for themselves, the others follow from U+0100 on (GPT-2's bytes_to_unicode).

const CHARACTER_OF_BYTE: readonly string[] = alphabet()
const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(CHARACTER_OF_BYTE.map((character, byte) => [character, byte]))

function alphabet(): string[] {
  const printable = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
}

/** A text as the characters of its UTF-8 bytes. */
export function textToByteCharacters(text: string): string {
  return bytesToCharacters(new TextEncoder().encode(text))
}

/** Bytes as their characters. */
export function bytesToCharacters(bytes: Uint8Array): string {
  let characters = ''
  for (const byte of bytes) characters += CHARACTER_OF_BYTE[byte] ?? ''
  return characters
}

/** The bytes a token spells; a token with a character outside the alphabet stands for its own UTF-8. */
export function bytesOfToken(token: string): Uint8Array {
  const bytes: number[] = []
  for (const character of token) {
    const byte = BYTE_OF_CHARACTER.get(character)
    if (byte === undefined) return new TextEncoder().encode(token)
    bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

// The alphabet in which byte-level tokenizers write bytes: printable characters stand for themselves, the others follow from U+0100 on (GPT-2's bytes_to_unicode).

const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = alphabet()

function alphabet(): Map<string, number> {
  const printable = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  const characters = new Map<string, number>()
  let next = 0x100
  for (let byte = 0; byte < 256; byte++) characters.set(String.fromCharCode(printable(byte) ? byte : next++), byte)
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

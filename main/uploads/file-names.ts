// Names of uploaded files: what a browser sends is checked so that it can only ever name a new file inside the upload's own folder, on every system.
import { serviceError } from '../service-error'

/** Folders around a file, and the file; a model's own tree has two or three. */
const MAX_PARTS = 8
/** What common file systems take, in bytes of UTF-8. */
const MAX_PART_BYTES = 255

const NOT_IN_NAMES = /[<>:"|?*\\]/
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i

/** Why one part of a name is refused, or null. */
function problemOf(part: string): string | null {
  if (part === '') return 'a part of it is empty'
  if (part === '.' || part === '..') return 'it leads out of its folder'
  if (Buffer.byteLength(part) > MAX_PART_BYTES) return `a part of it is longer than ${MAX_PART_BYTES} bytes`
  if (NOT_IN_NAMES.test(part) || hasControlCharacters(part)) return 'it has characters that not every system takes'
  if (/[. ]$/.test(part)) return 'a part of it ends with a dot or a space'
  if (RESERVED.test(part)) return 'a part of it is a device on some systems'
  return null
}

function hasControlCharacters(part: string): boolean {
  return Array.from(part).some((character) => (character.codePointAt(0) ?? 0) < 32 || character === '\u007f')
}

/** The parts of each name. Throws "uploads/bad-name", also where two names are the same on a system that does not tell cases apart. */
export function checkFileNames(names: readonly string[]): readonly (readonly string[])[] {
  const seen = new Map<string, 'file' | 'folder'>()
  return names.map((name) => {
    const parts = name.split('/')
    const problem =
      parts.length > MAX_PARTS ? `it lies more than ${MAX_PARTS} folders deep` : parts.map(problemOf).find((found) => found !== null)
    if (problem) throw serviceError('uploads/bad-name', { name: name.slice(0, 200), reason: problem })
    parts.forEach((_, index) => {
      const key = parts
        .slice(0, index + 1)
        .join('/')
        .normalize('NFC')
        .toLowerCase()
      const kind = index === parts.length - 1 ? 'file' : 'folder'
      const before = seen.get(key)
      if (before !== undefined && (kind === 'file' || before === 'file'))
        throw serviceError('uploads/bad-name', { name: name.slice(0, 200), reason: 'another file has the same name' })
      seen.set(key, kind)
    })
    return parts
  })
}

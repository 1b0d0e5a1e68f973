// The entries of a tar archive: names and places, from its headers alone. Follows POSIX ustar and GNU tar's base-256 sizes.
import { engineError } from '../errors'
import type { RandomAccessFile } from './random-access-file'

const BLOCK_BYTES = 512
/** The archives read here hold four entries. */
const MAX_ENTRIES = 4096

/** One regular file of an archive. */
export interface TarEntry {
  readonly offsetBytes: number
  readonly sizeBytes: number
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}

/** A number in octal digits, or in base 256 where the first bit is set; null where it is neither or beyond 2^53. */
function number(bytes: Uint8Array): number | null {
  if (((bytes[0] ?? 0) & 0x80) !== 0) {
    const value = bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, (bytes[0] ?? 0) & 0x3f)
    return Number.isSafeInteger(value) ? value : null
  }
  const digits = text(bytes).trim()
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : null
}

/** Both ways of adding the checksum that were ever in use: bytes as unsigned and as signed. */
function hasChecksum(header: Uint8Array): boolean {
  const stated = number(header.subarray(148, 156))
  let unsigned = 0
  let signed = 0
  header.forEach((byte, index) => {
    const value = index >= 148 && index < 156 ? 0x20 : byte
    unsigned += value
    signed += value > 127 ? value - 256 : value
  })
  return stated === unsigned || stated === signed
}

/** Reads the regular files of an archive by name. Throws "bytes/tar-malformed" and what reading throws. */
export async function readTarDirectory(file: RandomAccessFile): Promise<ReadonlyMap<string, TarEntry>> {
  const malformed = (reason: string) => engineError('bytes/tar-malformed', { path: file.path, reason })
  const entries = new Map<string, TarEntry>()
  let offsetBytes = 0
  for (let count = 0; offsetBytes + BLOCK_BYTES <= file.sizeBytes; count++) {
    if (count >= MAX_ENTRIES) throw malformed(`it has more than ${MAX_ENTRIES} entries`)
    const header = await file.read({ offsetBytes, sizeBytes: BLOCK_BYTES })
    if (header.every((byte) => byte === 0)) break
    if (!hasChecksum(header)) throw malformed(`the checksum of the header at byte ${offsetBytes} is wrong`)
    const name = text(header.subarray(0, 100))
    const sizeBytes = number(header.subarray(124, 136))
    const type = header[156] ?? 0
    offsetBytes += BLOCK_BYTES
    if (sizeBytes === null || offsetBytes + sizeBytes > file.sizeBytes) throw malformed('an entry ends after the file')
    if (type === 0 || type === 0x30) {
      if (name.startsWith('/') || name.split(/[/\\]/).includes('..')) throw malformed(`the name "${name}" leads out of the archive`)
      if (entries.has(name)) throw malformed(`it holds ${name} twice`)
      entries.set(name, { offsetBytes, sizeBytes })
    }
    offsetBytes += Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
  }
  return entries
}

// The superblock: widths of addresses and lengths, and the root group (II).
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { createSource, type Hdf5Source } from './source'

/** Version 1 with 8-byte addresses is the longest. */
const SUPERBLOCK_BYTES = 100
const SIGNATURE = '\x89HDF\r\n\x1a\n'

/** Every structure lies before the recorded end; a file that ends earlier was cut off. */
function checkEnd(source: Hdf5Source, endBytes: number): void {
  const { sizeBytes } = source.file
  if (endBytes > sizeBytes) throw source.malformed(sizeBytes, `the file is cut off: ${endBytes} bytes are recorded, ${sizeBytes} are there`)
}

/** Reads the superblock of a file whose first bytes are the signature. Throws "checkpoint/hdf5-malformed". */
export async function readSuperblock(
  file: RandomAccessFile,
  options: { readonly signal?: AbortSignal },
): Promise<{ readonly source: Hdf5Source; readonly rootAddress: number }> {
  const provisional = createSource(file, { addressBytes: 8, lengthBytes: 8, ...options })
  const bytes = await provisional.read(0, Math.min(SUPERBLOCK_BYTES, file.sizeBytes))
  const head = provisional.cursor(bytes, 0)
  head.signature(SIGNATURE)
  const version = head.u8()
  if (version > 3) throw provisional.malformed(8, `superblock version ${version} is unknown`)
  if (version < 2) head.skip(4)
  const addressBytes = head.u8()
  const lengthBytes = head.u8()
  if (![4, 8].includes(addressBytes) || ![4, 8].includes(lengthBytes))
    throw provisional.malformed(8, `addresses have ${addressBytes} bytes and lengths ${lengthBytes}`)
  const source = createSource(file, { addressBytes, lengthBytes, ...options })
  const cursor = source.cursor(bytes, 0)
  if (version < 2) {
    cursor.skip(version === 0 ? 24 : 28)
    if (cursor.address() !== 0) throw source.malformed(24, 'the file starts with a user block')
    cursor.skip(addressBytes)
    checkEnd(source, cursor.uint(addressBytes))
    // The driver's address, then the offset of the root entry's name.
    cursor.skip(2 * addressBytes)
  } else {
    cursor.skip(12)
    if (cursor.address() !== 0) throw source.malformed(12, 'the file starts with a user block')
    cursor.skip(addressBytes)
    checkEnd(source, cursor.uint(addressBytes))
  }
  const rootAddress = cursor.address()
  if (rootAddress === null) throw source.malformed(0, 'there is no root group')
  return { source, rootAddress }
}

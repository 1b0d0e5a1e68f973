// Elements of GGUF metadata arrays, read from the file when asked for: token lists are the bulk of a header.
import { openRandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import { ggufText, readScalar, SCALAR_BYTES, type GgufArray, type GgufScalar } from './values'

function readStrings(view: DataView, array: GgufArray, count: number): readonly string[] {
  const strings: string[] = []
  let offset = 0
  for (let index = 0; index < count; index++) {
    // The header's walk has checked every length; a file that changed since then ends in a RangeError-free slice check here.
    const length = offset + 8 <= view.byteLength ? Number(view.getBigUint64(offset, array.littleEndian)) : -1
    if (length < 0 || offset + 8 + length > view.byteLength)
      throw engineError('checkpoint/file-changed', { path: array.file, expectedBytes: array.sizeBytes, sizeBytes: view.byteLength })
    strings.push(ggufText(new DataView(view.buffer, view.byteOffset + offset + 8, length)))
    offset += 8 + length
  }
  return strings
}

/**
 * Reads the first `count` elements of an array (all of them by default), in file order. Arrays of arrays give none: nothing uses them.
 * Throws "bytes/short-read", "checkpoint/file-changed".
 */
export async function readGgufArray(
  array: GgufArray,
  options: { readonly count?: number; readonly signal?: AbortSignal } = {},
): Promise<readonly GgufScalar[]> {
  const { elementType, littleEndian } = array
  const count = Math.min(options.count ?? array.count, array.count)
  if (elementType === 'array' || count === 0) return []
  using file = await openRandomAccessFile(array.file)
  const fixedBytes = elementType === 'string' ? array.sizeBytes : count * SCALAR_BYTES[elementType]
  const bytes = await file.read({
    offsetBytes: array.offsetBytes,
    sizeBytes: fixedBytes,
    ...(options.signal && { signal: options.signal }),
  })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (elementType === 'string') return readStrings(view, array, count)
  const step = SCALAR_BYTES[elementType]
  return Array.from({ length: count }, (_, index) => readScalar(view, { type: elementType, offset: index * step, littleEndian }))
}

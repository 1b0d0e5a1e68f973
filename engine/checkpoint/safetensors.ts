// Reader of safetensors files: the validated header of one file. Follows safetensors 0.8.
import { openRandomAccessFile, type RandomAccessFile } from '../bytes/random-access-file'
import { engineError } from '../errors'
import { FILE_KIND_NAMES, fileKind, isArchiveKind, readPrefix } from './file-kind'
import { HEADER_LENGTH_BYTES, MAX_HEADER_BYTES, parseSafetensorsHeader, type SafetensorsHeader } from './safetensors-header'

/** A safetensors file whose header has been read and checked; `path` is its real path. */
export interface SafetensorsFile extends SafetensorsHeader {
  readonly path: string
  readonly sizeBytes: number
}

/** Says what lies in the place of a safetensors file where that is known: these are what people really meet. */
async function refuseImpostor(file: RandomAccessFile): Promise<void> {
  const prefix = await readPrefix(file)
  const kind = fileKind(prefix, file)
  if (kind === 'empty') throw engineError('checkpoint/empty-file', { path: file.path })
  if (kind === 'html') throw engineError('checkpoint/html-page', { path: file.path })
  if (isArchiveKind(kind)) throw engineError('checkpoint/compressed-archive', { path: file.path, archive: FILE_KIND_NAMES[kind] })
  if (kind === 'lfs-pointer') {
    const size = /\nsize (\d{1,15})\n/.exec(new TextDecoder('latin1').decode(prefix))
    throw engineError('checkpoint/lfs-pointer', { path: file.path, realSizeBytes: size ? Number(size[1]) : null })
  }
}

async function readHeader(file: RandomAccessFile, signal: AbortSignal | undefined): Promise<SafetensorsHeader> {
  const { path, sizeBytes: fileSizeBytes } = file
  const cancel = signal ? { signal } : {}
  await refuseImpostor(file)
  if (fileSizeBytes < HEADER_LENGTH_BYTES) throw engineError('checkpoint/header-truncated', { path, fileSizeBytes })
  const lengthBytes = await file.read({ offsetBytes: 0, sizeBytes: HEADER_LENGTH_BYTES, ...cancel })
  const length = new DataView(lengthBytes.buffer).getBigUint64(0, true)
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw engineError('checkpoint/header-too-large', { path, headerBytes: length.toString(), maxBytes: MAX_HEADER_BYTES })
  }
  const headerBytes = Number(length)
  const dataStartBytes = HEADER_LENGTH_BYTES + headerBytes
  if (dataStartBytes > fileSizeBytes) throw engineError('checkpoint/header-beyond-file', { path, headerBytes, fileSizeBytes })
  const header = await file.read({ offsetBytes: HEADER_LENGTH_BYTES, sizeBytes: headerBytes, ...cancel })
  return parseSafetensorsHeader(header, { file: path, fileSizeBytes, dataStartBytes })
}

/** Reads and validates the header of a safetensors file; no tensor data is read. Throws "checkpoint/..." and "bytes/..." codes. */
export async function readSafetensorsFile(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<SafetensorsFile> {
  using file = await openRandomAccessFile(path)
  const header = await readHeader(file, options.signal)
  return { path: file.path, sizeBytes: file.sizeBytes, ...header }
}

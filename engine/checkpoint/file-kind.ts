// What a file holds, judged by its first bytes; names only decide where bytes cannot.
import { basename } from 'node:path'
import { openRandomAccessFile, type RandomAccessFile } from '../bytes/random-access-file'
import { hasLlama2cMagic, readLegacyHeader } from './llama2c/header'
import { hasLegacySize } from './llama2c/layout'
import { MAX_HEADER_BYTES } from './safetensors-header'

/** How many bytes the detection looks at; a tar archive has its magic at 257. */
const PREFIX_BYTES = 512

/** Compressed files, which hold no weights before they are unpacked. */
export type ArchiveKind = 'gzip' | 'bzip2' | 'xz' | '7z' | 'rar' | 'zstd' | 'lz4'

/** What compressed files start with: RFC 1952, bzip2 1.0, XZ 1.2, 7-Zip, RAR 1.5 and 5, RFC 8878, LZ4 frame 1.6. */
const ARCHIVE_MAGIC: readonly (readonly [ArchiveKind, string])[] = [
  ['gzip', '\x1f\x8b\x08'],
  ['bzip2', 'BZh'],
  ['xz', '\xfd7zXZ\0'],
  ['7z', '7z\xbc\xaf\x27\x1c'],
  ['rar', 'Rar!\x1a\x07'],
  ['zstd', '\x28\xb5\x2f\xfd'],
  ['lz4', '\x04\x22\x4d\x18'],
]

/** Whether a kind is a compressed file. */
export function isArchiveKind(kind: FileKind): kind is ArchiveKind {
  return ARCHIVE_MAGIC.some(([archive]) => archive === kind)
}

/** Kinds of file that a model folder may hold weights in, and the impostors found in their place. */
export type FileKind =
  | 'safetensors'
  | 'json'
  | 'html'
  | 'lfs-pointer'
  | 'empty'
  | ArchiveKind
  | 'pytorch-zip'
  | 'numpy-npz'
  | 'zip'
  | 'pickle'
  | 'tar'
  | 'gguf'
  | 'ggml'
  | 'hdf5'
  | 'onnx'
  | 'tensorflow-checkpoint'
  | 'tensorflow-saved-model'
  | 'flax-msgpack'
  | 'numpy-npy'
  | 'llama2c'
  | 'unknown'

/** How a kind is called in sentences. */
export const FILE_KIND_NAMES: Readonly<Record<FileKind, string>> = {
  safetensors: 'safetensors',
  json: 'JSON',
  html: 'web page',
  'lfs-pointer': 'Git LFS pointer',
  empty: 'empty file',
  gzip: 'gzip',
  bzip2: 'bzip2',
  xz: 'xz',
  '7z': '7z',
  rar: 'RAR',
  zstd: 'Zstandard',
  lz4: 'LZ4',
  'pytorch-zip': 'PyTorch',
  'numpy-npz': 'NumPy npz',
  zip: 'zip archive',
  pickle: 'PyTorch before 1.6 or another pickle',
  tar: 'tar archive',
  gguf: 'GGUF',
  ggml: 'GGML',
  hdf5: 'HDF5 (Keras or TensorFlow)',
  onnx: 'ONNX',
  'tensorflow-checkpoint': 'TensorFlow checkpoint',
  'tensorflow-saved-model': 'TensorFlow SavedModel',
  'flax-msgpack': 'Flax msgpack',
  'numpy-npy': 'NumPy array',
  llama2c: 'llama2.c export',
  unknown: 'unknown',
}

function kindOfName(name: string): FileKind {
  const lower = name.toLowerCase()
  if (lower.endsWith('.onnx')) return 'onnx'
  if (lower.endsWith('.msgpack')) return 'flax-msgpack'
  if (lower.endsWith('.index') || /\.data-\d+-of-\d+$/.test(lower)) return 'tensorflow-checkpoint'
  if (lower === 'saved_model.pb') return 'tensorflow-saved-model'
  return 'unknown'
}

/** The first entry tells the writer; where it does not (another zip tool wrote the archive anew), the file's own name has to do. */
function kindOfZip(prefix: Uint8Array, name: string): FileKind {
  const nameBytes = prefix.length > 30 ? (prefix[26] ?? 0) | ((prefix[27] ?? 0) << 8) : 0
  const first = new TextDecoder('latin1').decode(prefix.subarray(30, 30 + nameBytes))
  if (first.endsWith('.npy')) return 'numpy-npz'
  if (/(^|\/)(data\.pkl|constants\.pkl|version|byteorder|\.format_version|\.storage_alignment|(data|constants)\/\d+)$/.test(first))
    return 'pytorch-zip'
  if (/\.npz$/i.test(name)) return 'numpy-npz'
  return /\.(bin|pt|pth|ckpt)$/i.test(name) ? 'pytorch-zip' : 'zip'
}

/** A header length within the cap leaves zeros before the "{" at byte 8, which no other format has. */
function looksLikeSafetensors(prefix: Uint8Array): boolean {
  if (prefix.length < 9 || prefix[8] !== 0x7b) return false
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  return view.getBigUint64(0, true) <= BigInt(MAX_HEADER_BYTES)
}

/** Protocols 2 to 5 start with PROTO and the number; older ones have no magic. */
function looksLikePickle(prefix: Uint8Array): boolean {
  const [proto, version = 0] = prefix
  return proto === 0x80 && version >= 2 && version <= 5
}

/** Exports without a magic are known by their size, which must be exactly what their counts make. */
function looksLikeLlama2c(prefix: Uint8Array, fileSizeBytes: number): boolean {
  if (hasLlama2cMagic(prefix)) return true
  const header = readLegacyHeader(prefix)
  return header !== null && hasLegacySize(header, fileSizeBytes)
}

/** Judges a file by its first bytes (as many as there are, at most 512), its size and its name. */
export function fileKind(prefix: Uint8Array, { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number }): FileKind {
  const name = basename(path)
  if (prefix.length === 0) return 'empty'
  const text = new TextDecoder('latin1').decode(prefix)
  // First of all: the low bytes of a header length may look like any other format's magic.
  if (looksLikeSafetensors(prefix)) return 'safetensors'
  // Before pickles: a width of 640 looks like the first two bytes of one.
  if (looksLikeLlama2c(prefix, sizeBytes)) return 'llama2c'
  if (text.startsWith('GGUF')) return 'gguf'
  if (/^(lmgg|tjgg|fmgg)/.test(text)) return 'ggml'
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) return kindOfZip(prefix, name)
  if (text.startsWith('\x89HDF\r\n\x1a\n')) return 'hdf5'
  if (text.startsWith('\x93NUMPY')) return 'numpy-npy'
  if (looksLikePickle(prefix)) return 'pickle'
  if (text.startsWith('ustar', 257)) return 'tar'
  const archive = ARCHIVE_MAGIC.find(([, magic]) => text.startsWith(magic))
  if (archive) return archive[0]
  if (text.startsWith('version https://git-lfs.github.com/spec/')) return 'lfs-pointer'
  if (/^(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|\?xml|!--)/i.test(text)) return 'html'
  if (/^(\xef\xbb\xbf)?\s*[[{]/.test(text)) return 'json'
  return kindOfName(name)
}

/** Reads the first bytes of an open file, fewer where the file is shorter. */
export async function readPrefix(file: RandomAccessFile): Promise<Uint8Array> {
  return file.read({ offsetBytes: 0, sizeBytes: Math.min(PREFIX_BYTES, file.sizeBytes) })
}

/** The kind of the file at `path`. Throws "bytes/not-found", "bytes/not-a-regular-file", "bytes/unreadable". */
export async function detectFileKind(path: string): Promise<FileKind> {
  using file = await openRandomAccessFile(path)
  return fileKind(await readPrefix(file), { path, sizeBytes: file.sizeBytes })
}

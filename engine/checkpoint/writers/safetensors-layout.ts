// Layout of a safetensors file, byte for byte as the reference library writes it. Follows safetensors 0.8 (tensor.rs `prepare` and `serialize`).
import { engineError } from '../../errors'
import { DTYPE_BITS } from '../../tensor/dtype'
import { HEADER_LENGTH_BYTES, MAX_HEADER_BYTES } from '../safetensors-header'
import type { FileLayout, OutputTensor, StoredDtype } from './file-layout'

/** Data begins at a multiple of this; the header is filled up with spaces. */
const HEADER_ALIGNMENT_BYTES = 8

// The table lists the dtypes in the order of the library's enum, by which it sorts.
const DTYPE_RANK: ReadonlyMap<string, number> = new Map(Object.keys(DTYPE_BITS).map((dtype, rank) => [dtype, rank]))
const rankOf = (dtype: StoredDtype): number => DTYPE_RANK.get(dtype) ?? 0

/** Largest elements first, so that every tensor is aligned to its own; then by name, as UTF-8 sorts. */
function inFileOrder(tensors: readonly OutputTensor[]): readonly OutputTensor[] {
  return tensors
    .map((tensor) => ({ tensor, key: Buffer.from(tensor.name) }))
    .sort((left, right) => rankOf(right.tensor.dtype) - rankOf(left.tensor.dtype) || Buffer.compare(left.key, right.key))
    .map(({ tensor }) => tensor)
}

/** The header with its length in front. Built by hand because an object would move names like "0" to the front and lose "__proto__". */
function encodeHeader(entries: readonly string[]): Uint8Array {
  const json = Buffer.from(`{${entries.join(',')}}`)
  const paddedBytes = Math.ceil(json.length / HEADER_ALIGNMENT_BYTES) * HEADER_ALIGNMENT_BYTES
  const header = Buffer.alloc(HEADER_LENGTH_BYTES + paddedBytes, ' ')
  header.writeBigUInt64LE(BigInt(paddedBytes))
  json.copy(header, HEADER_LENGTH_BYTES)
  return header
}

/**
 * Lays out a safetensors file; aliases are recorded as metadata (alias: written name), as `safetensors.torch.save_model` does.
 * Throws "convert/header-too-large" and "convert/name-not-in-format" for a tensor named `__metadata__`.
 */
export function layOutSafetensors(
  tensors: readonly OutputTensor[],
  options: { readonly metadata: Readonly<Record<string, string>> },
): FileLayout {
  const ordered = inFileOrder(tensors)
  const metadata = [
    ...Object.entries(options.metadata),
    ...ordered.flatMap(({ name, aliases }) => aliases.map((alias): [string, string] => [alias, name])),
  ]
  const entries: string[] = []
  if (metadata.length > 0) {
    const pairs = metadata.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
    entries.push(`"__metadata__":{${pairs.join(',')}}`)
  }
  let endBytes = 0
  const relative = ordered.map((tensor) => {
    const { name, dtype, shape, sizeBytes } = tensor
    if (name === '__metadata__')
      throw engineError('convert/name-not-in-format', { tensor: name, format: 'safetensors', reason: 'the format reserves it' })
    const offsetBytes = endBytes
    endBytes += sizeBytes
    entries.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${offsetBytes},${endBytes}]}`)
    return { tensor, offsetBytes }
  })
  const header = encodeHeader(entries)
  if (header.length - HEADER_LENGTH_BYTES > MAX_HEADER_BYTES) {
    throw engineError('convert/header-too-large', { path: 'a safetensors file', headerBytes: header.length, maxBytes: MAX_HEADER_BYTES })
  }
  return {
    sizeBytes: header.length + endBytes,
    slots: relative.map(({ tensor, offsetBytes }) => ({ tensor, offsetBytes: header.length + offsetBytes, crcSeed: 0 })),
    hasChecksums: false,
    structure: () => [{ offsetBytes: 0, bytes: header }],
  }
}

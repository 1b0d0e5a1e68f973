// Writes zip archives for tests, correct by default and with every field open to lies.
import { crc32, deflateRawSync } from 'node:zlib'

/** One entry; fields beyond name and bytes replace what would be right. */
export interface ZipSource {
  readonly name: string
  readonly bytes: Uint8Array
  readonly deflate?: boolean
  readonly localName?: string
  readonly sizeBytes?: number
  readonly compressedBytes?: number
  readonly crc32?: number
  readonly flags?: number
  readonly method?: number
  readonly headerOffsetBytes?: number
  readonly extra?: Uint8Array
}

/** What the end of the directory says in place of the truth. */
export interface ZipEnd {
  readonly entryCount?: number
  readonly directoryBytes?: number
  readonly directoryOffsetBytes?: number
  readonly comment?: Uint8Array
  /** Bytes between the directory and its end. */
  readonly beforeEnd?: Uint8Array
}

function numbers(...fields: readonly (readonly [size: 2 | 4, value: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([size, value]) => {
      const bytes = Buffer.alloc(size)
      if (size === 2) bytes.writeUInt16LE(value)
      else bytes.writeUInt32LE(value)
      return bytes
    }),
  )
}

/** An archive of `sources` in order. */
export function zipFile(sources: readonly ZipSource[], end: ZipEnd = {}): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const source of sources) {
    const data = source.deflate === true ? deflateRawSync(source.bytes) : Buffer.from(source.bytes)
    const method = source.method ?? (source.deflate === true ? 8 : 0)
    const name = Buffer.from(source.name)
    const localName = Buffer.from(source.localName ?? source.name)
    const extra = Buffer.from(source.extra ?? [])
    const shared = numbers(
      [2, 20],
      [2, source.flags ?? 0],
      [2, method],
      [4, 0],
      [4, source.crc32 ?? crc32(source.bytes)],
      [4, source.compressedBytes ?? data.length],
      [4, source.sizeBytes ?? source.bytes.length],
    )
    const local = Buffer.concat([numbers([4, 0x04034b50]), shared, numbers([2, localName.length], [2, 0]), localName, data])
    directory.push(
      numbers([4, 0x02014b50], [2, 20]),
      shared,
      numbers([2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, source.headerOffsetBytes ?? offset]),
      name,
      extra,
    )
    parts.push(local)
    offset += local.length
  }
  const entries = Buffer.concat(directory)
  const comment = Buffer.from(end.comment ?? [])
  const count = end.entryCount ?? sources.length
  return Buffer.concat([
    ...parts,
    entries,
    Buffer.from(end.beforeEnd ?? []),
    numbers(
      [4, 0x06054b50],
      [2, 0],
      [2, 0],
      [2, count],
      [2, count],
      [4, end.directoryBytes ?? entries.length],
      [4, end.directoryOffsetBytes ?? offset],
      [2, comment.length],
    ),
    comment,
  ])
}

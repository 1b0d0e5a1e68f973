// Layout of a zip archive of stored entries whose data is aligned, as PyTorch writes it. Follows PKWARE APPNOTE 6.3.10 and PyTorch 2.13 (caffe2/serialize/inline_container.cc).

/** PyTorch's `.storage_alignment`: data of an entry begins at a multiple of this. */
export const ENTRY_ALIGNMENT_BYTES = 64

/** One stored entry: bytes known beforehand, then optionally data that follows later. */
export interface ZipEntry {
  readonly name: string
  readonly bytes: Uint8Array
  readonly dataBytes: number
}

/** Where an entry's parts lie. */
interface PlacedEntry extends ZipEntry {
  readonly nameBytes: Uint8Array
  readonly headerOffsetBytes: number
  readonly startBytes: number
  readonly sizeBytes: number
}

/** The archive; `structure` takes the CRC-32 of every whole entry. */
export interface ZipLayout {
  readonly sizeBytes: number
  /** Offset of the later data of every entry. */
  readonly dataOffsets: readonly number[]
  readonly structure: (crc32s: readonly number[]) => readonly { readonly offsetBytes: number; readonly bytes: Uint8Array }[]
}

const LOCAL_HEADER_BYTES = 30
const CENTRAL_HEADER_BYTES = 46
const ZIP64_LOCAL_EXTRA_BYTES = 20
const ZIP64_END_BYTES = 56
const EXTRA_HEADER_BYTES = 4
/** 'FB', the field that PyTorch pads with. */
const PADDING_EXTRA_ID = 0x4246
/** Fields of 32 bits hold this when the value is in the zip64 field. */
const IN_ZIP64 = 0xffffffff
const NEEDS_ZIP64 = 45
const NEEDS_STORE_ONLY = 20
/** Bit 11: names are UTF-8. */
const UTF8_NAMES = 0x0800
/** 1 January 1980, the earliest date of the format: archives of the same tensors are the same bytes. */
const DATE = 0x0021

const isLarge = (value: number): boolean => value >= IN_ZIP64

function place(entries: readonly ZipEntry[]): readonly PlacedEntry[] {
  let position = 0
  return entries.map((entry) => {
    const nameBytes = Buffer.from(entry.name)
    const sizeBytes = entry.bytes.length + entry.dataBytes
    const zip64Bytes = isLarge(sizeBytes) ? ZIP64_LOCAL_EXTRA_BYTES : 0
    const earliest = position + LOCAL_HEADER_BYTES + nameBytes.length + zip64Bytes + EXTRA_HEADER_BYTES
    const startBytes = Math.ceil(earliest / ENTRY_ALIGNMENT_BYTES) * ENTRY_ALIGNMENT_BYTES
    const placed = { ...entry, nameBytes, headerOffsetBytes: position, startBytes, sizeBytes }
    position = startBytes + sizeBytes
    return placed
  })
}

function localHeader(entry: PlacedEntry, crc: number): Uint8Array {
  const { nameBytes, headerOffsetBytes, startBytes, sizeBytes } = entry
  const header = Buffer.alloc(startBytes - headerOffsetBytes)
  const large = isLarge(sizeBytes)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(large ? NEEDS_ZIP64 : NEEDS_STORE_ONLY, 4)
  header.writeUInt16LE(UTF8_NAMES, 6)
  header.writeUInt16LE(DATE, 12)
  header.writeUInt32LE(crc, 14)
  header.writeUInt32LE(large ? IN_ZIP64 : sizeBytes, 18)
  header.writeUInt32LE(large ? IN_ZIP64 : sizeBytes, 22)
  header.writeUInt16LE(nameBytes.length, 26)
  header.writeUInt16LE(header.length - LOCAL_HEADER_BYTES - nameBytes.length, 28)
  header.set(nameBytes, LOCAL_HEADER_BYTES)
  let position = LOCAL_HEADER_BYTES + nameBytes.length
  if (large) {
    header.writeUInt16LE(1, position)
    header.writeUInt16LE(16, position + 2)
    header.writeBigUInt64LE(BigInt(sizeBytes), position + 4)
    header.writeBigUInt64LE(BigInt(sizeBytes), position + 12)
    position += ZIP64_LOCAL_EXTRA_BYTES
  }
  header.writeUInt16LE(PADDING_EXTRA_ID, position)
  header.writeUInt16LE(header.length - position - EXTRA_HEADER_BYTES, position + 2)
  header.fill('Z', position + EXTRA_HEADER_BYTES)
  return header
}

function centralHeader(entry: PlacedEntry, crc: number): Uint8Array {
  const { nameBytes, headerOffsetBytes, sizeBytes } = entry
  // The zip64 field holds only the values that do not fit, in this order.
  const wide = [...(isLarge(sizeBytes) ? [sizeBytes, sizeBytes] : []), ...(isLarge(headerOffsetBytes) ? [headerOffsetBytes] : [])]
  const extraBytes = wide.length === 0 ? 0 : EXTRA_HEADER_BYTES + wide.length * 8
  const header = Buffer.alloc(CENTRAL_HEADER_BYTES + nameBytes.length + extraBytes)
  const version = wide.length === 0 ? NEEDS_STORE_ONLY : NEEDS_ZIP64
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(version, 4)
  header.writeUInt16LE(version, 6)
  header.writeUInt16LE(UTF8_NAMES, 8)
  header.writeUInt16LE(DATE, 14)
  header.writeUInt32LE(crc, 16)
  header.writeUInt32LE(Math.min(sizeBytes, IN_ZIP64), 20)
  header.writeUInt32LE(Math.min(sizeBytes, IN_ZIP64), 24)
  header.writeUInt16LE(nameBytes.length, 28)
  header.writeUInt16LE(extraBytes, 30)
  header.writeUInt32LE(Math.min(headerOffsetBytes, IN_ZIP64), 42)
  header.set(nameBytes, CENTRAL_HEADER_BYTES)
  if (wide.length > 0) {
    const position = CENTRAL_HEADER_BYTES + nameBytes.length
    header.writeUInt16LE(1, position)
    header.writeUInt16LE(wide.length * 8, position + 2)
    wide.forEach((value, index) => header.writeBigUInt64LE(BigInt(value), position + EXTRA_HEADER_BYTES + index * 8))
  }
  return header
}

/** The zip64 end record and its locator are always written, as PyTorch does: readers that know them need no special case. */
function endRecords(directory: { readonly offsetBytes: number; readonly sizeBytes: number; readonly count: number }): Uint8Array {
  const { offsetBytes, sizeBytes, count } = directory
  const end = Buffer.alloc(ZIP64_END_BYTES + 20 + 22)
  end.writeUInt32LE(0x06064b50, 0)
  end.writeBigUInt64LE(BigInt(ZIP64_END_BYTES - 12), 4)
  end.writeUInt16LE(NEEDS_ZIP64, 12)
  end.writeUInt16LE(NEEDS_ZIP64, 14)
  end.writeBigUInt64LE(BigInt(count), 24)
  end.writeBigUInt64LE(BigInt(count), 32)
  end.writeBigUInt64LE(BigInt(sizeBytes), 40)
  end.writeBigUInt64LE(BigInt(offsetBytes), 48)
  end.writeUInt32LE(0x07064b50, ZIP64_END_BYTES)
  end.writeBigUInt64LE(BigInt(offsetBytes + sizeBytes), ZIP64_END_BYTES + 8)
  end.writeUInt32LE(1, ZIP64_END_BYTES + 16)
  const last = ZIP64_END_BYTES + 20
  end.writeUInt32LE(0x06054b50, last)
  end.writeUInt16LE(Math.min(count, 0xffff), last + 8)
  end.writeUInt16LE(Math.min(count, 0xffff), last + 10)
  end.writeUInt32LE(Math.min(sizeBytes, IN_ZIP64), last + 12)
  end.writeUInt32LE(Math.min(offsetBytes, IN_ZIP64), last + 16)
  return end
}

/** Lays out an archive of stored entries in the order given; zip64 fields where a size or an offset needs them. */
export function layOutZip(entries: readonly ZipEntry[]): ZipLayout {
  const placed = place(entries)
  const last = placed.at(-1)
  const directoryOffsetBytes = last ? last.startBytes + last.sizeBytes : 0
  const directory = (crc32s: readonly number[]): Uint8Array =>
    Buffer.concat(placed.map((entry, index) => centralHeader(entry, crc32s[index] ?? 0)))
  const directoryBytes = directory([]).length
  const end = endRecords({ offsetBytes: directoryOffsetBytes, sizeBytes: directoryBytes, count: placed.length })
  return {
    sizeBytes: directoryOffsetBytes + directoryBytes + end.length,
    dataOffsets: placed.map(({ startBytes, bytes }) => startBytes + bytes.length),
    structure: (crc32s) => [
      ...placed.map((entry, index) => ({
        offsetBytes: entry.headerOffsetBytes,
        bytes: Buffer.concat([localHeader(entry, crc32s[index] ?? 0), entry.bytes]),
      })),
      { offsetBytes: directoryOffsetBytes, bytes: Buffer.concat([directory(crc32s), end]) },
    ],
  }
}

/** An entry without later data. */
export function wholeEntry(name: string, content: Uint8Array | string): ZipEntry {
  return { name, bytes: typeof content === 'string' ? Buffer.from(content) : content, dataBytes: 0 }
}

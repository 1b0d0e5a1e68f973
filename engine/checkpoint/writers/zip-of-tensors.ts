// A zip archive with one entry per tensor, as the layout of a file to be written.
import { crc32 } from 'node:zlib'
import type { FileLayout, OutputTensor } from './file-layout'
import { layOutZip, type ZipEntry } from './zip-layout'

/** Lays out `before`, then the entry of every tensor (`storages`, in the order of `tensors`), then `after`. */
export function zipOfTensors(content: {
  readonly tensors: readonly OutputTensor[]
  readonly before: readonly ZipEntry[]
  readonly storages: readonly ZipEntry[]
  readonly after: readonly ZipEntry[]
}): FileLayout {
  const { tensors, before, storages, after } = content
  const zip = layOutZip([...before, ...storages, ...after])
  const crcOf = ({ bytes }: ZipEntry): number => crc32(bytes)
  const slots = tensors.map((tensor, index) => ({
    tensor,
    offsetBytes: zip.dataOffsets[before.length + index] ?? 0,
    crcSeed: crc32(storages[index]?.bytes ?? new Uint8Array()),
  }))
  return {
    sizeBytes: zip.sizeBytes,
    slots,
    hasChecksums: true,
    structure: (crc32s) => zip.structure([...before.map(crcOf), ...crc32s, ...after.map(crcOf)]),
  }
}

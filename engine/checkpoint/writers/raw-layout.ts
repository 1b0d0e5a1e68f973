// Layout of a file of nothing but tensors, each at a page of its own: the external data of an ONNX model.
import type { FileLayout, OutputTensor } from './file-layout'

/** ONNX Runtime maps external data by pages, and shares what is aligned to them. */
const ALIGNMENT_BYTES = 4096

/** Lays the tensors out one after the other. */
export function layOutRaw(tensors: readonly OutputTensor[]): FileLayout {
  let end = 0
  const slots = tensors.map((tensor) => {
    const offsetBytes = Math.ceil(end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    end = offsetBytes + tensor.sizeBytes
    return { tensor, offsetBytes, crcSeed: 0 }
  })
  return { sizeBytes: end, slots, hasChecksums: false, structure: () => [] }
}

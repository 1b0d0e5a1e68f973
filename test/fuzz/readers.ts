// What the fuzzing needs of the engine and of the tests' writers, bundled for plain Node.
import { readGgufArray } from '../../engine/checkpoint/gguf/array'
import { readGgufHeader } from '../../engine/checkpoint/gguf/header'
import { tinyOnnx } from '../support/tiny-onnx'

export { openCheckpoint } from '../../engine/checkpoint/open'
export { ggufFile } from '../engine/checkpoint/gguf/gguf-writer'
export { zipFile } from '../support/zip-writer'

/** Reads every array of a GGUF file's metadata in full. */
export async function readAllArrays(path: string): Promise<void> {
  const header = await readGgufHeader(path)
  for (const [key, value] of header.metadata) {
    if (value.type !== 'array' || value.elementType === 'array') continue
    const elements = await readGgufArray(value)
    if (elements.length !== value.count) throw new Error(`array ${key} gave ${elements.length} of ${value.count} elements`)
  }
}

/** A model with weights inside, or in `weights.bin` beside it. */
export function onnxModel(place: 'inside' | 'beside'): Uint8Array {
  const port = { name: 'x', type: 'F32', shape: [4] } as const
  const where = (offsetBytes: number, sizeBytes: number) =>
    place === 'inside' ? { bytes: new Uint8Array(sizeBytes).fill(7) } : { external: { location: 'weights.bin', offsetBytes, sizeBytes } }
  return tinyOnnx({
    inputs: [port],
    outputs: [{ ...port, name: 'y' }],
    nodes: [{ op: 'Add', inputs: ['x', 'a'], outputs: ['y'] }],
    initializers: [
      { name: 'a', type: 'F32', shape: [4], ...where(0, 16) },
      { name: 'b', type: 'I64', shape: [2, 2], ...where(16, 32) },
      { name: 'c', type: 'F16', shape: [3], ...where(48, 6) },
    ],
  })
}

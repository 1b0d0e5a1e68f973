// A checkpoint with random weights for any configuration: the graph itself is asked for names and shapes of the tensors that it needs.
import type { TensorInfo } from '../../../engine/checkpoint/types'
import type { DecoderConfig } from '../../../engine/config/decoder-config'
import { EngineError } from '../../../engine/errors'
import { buildDecoderGraph } from '../../../engine/graph/decoder'
import { f32Tensor, safetensorsFile } from '../../support/safetensors-writer'

/** More complaints than this about one small decoder are a loop. */
const MAX_COMPLAINTS = 2000

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => typeof size === 'number')
}

/** Shapes of the tensors that a decoder needs, by name. */
function neededTensors(config: DecoderConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>()
  for (let complaints = 0; complaints < MAX_COMPLAINTS; complaints++) {
    const tensors = new Map(
      [...shapes].map(([name, shape]): [string, TensorInfo] => [
        name,
        { name, dtype: 'F32', shape, storage: 'plain', file: 'weights', offsetBytes: 0, sizeBytes: 4 * shape.reduce((a, b) => a * b, 1) },
      ]),
    )
    try {
      buildDecoderGraph({ config, tensors, locate: (file) => file, widening: 'at-load' })
      return shapes
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      const { tensor, expected } = error.details
      if (typeof tensor !== 'string') throw error
      if (error.code === 'graph/weight-missing') shapes.set(tensor, [0])
      else if (error.code === 'graph/weight-shape' && isShape(expected)) shapes.set(tensor, expected)
      else throw error
    }
  }
  throw new Error('the graph asks for tensors without end')
}

/** Numbers between 0 and 1 that follow from the seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A safetensors file for `config`: matrices that keep the size of what they multiply, vectors around the one that norms start from. */
export function randomCheckpoint(config: DecoderConfig, seed: number): Uint8Array {
  const next = random(seed)
  const tensors = [...neededTensors(config)].map(([name, shape]) => {
    const [columns = 1] = shape.toReversed()
    const isVector = shape.length < 2
    const spread = isVector ? 0.4 : 2.5 / Math.sqrt(columns)
    const middle = isVector && !config.norm.plusOne && name.endsWith('weight') ? 1 : 0
    const count = shape.reduce((product, size) => product * size, 1)
    return f32Tensor(
      name,
      Array.from({ length: count }, () => middle + spread * (next() - 0.5)),
      shape,
    )
  })
  return safetensorsFile(tensors)
}

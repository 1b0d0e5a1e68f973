// What the shapes of a recognised state dict say: sizes that need no asking.
import type { TensorInfo } from '../../checkpoint/types'
import { decodeFloat32, isDecodable } from '../../tensor/decode'
import type { Checkpoint } from '../../checkpoint/types'
import type { Recognised } from './recognise'
import { bodyKey, expertKey, layerKey, type ExpertSlot, type LayerSlot } from './slots'

/** Sizes, each with the tensor that gives it. Rows are outputs, columns inputs, whichever way a matrix lies. */
export interface DecoderShapes {
  readonly vocabSize: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly layers: number
  /** Rows of the query and key projections; null where they are fused and only their sum is known. */
  readonly queryRows: number | null
  readonly keyRows: number | null
  /** Rows of a fused projection. */
  readonly fusedRows: number | null
  readonly positions: number | null
  /** Experts of a layer, and those among them that see every token; 0 where there are none. */
  readonly experts: number
  readonly sharedExperts: number
  /** Matrices lie as [in, out]. */
  readonly conv1d: boolean
  /** Of the tensors that the numbers come from. */
  readonly tensors: Readonly<Record<'embedding' | 'feedForward' | 'attentionOutput', TensorInfo>>
}

/** Heads and rotation as tables beside the weights give them. */
export interface RotaryTable {
  readonly headDim: number
  readonly theta: number | null
  readonly positions: number | null
  readonly tensor: string
}

/** The weight of a part of the first layer. */
export function firstLayerWeight(source: Recognised, slot: LayerSlot): TensorInfo | null {
  return source.parts.get(layerKey(0, slot))?.tensor ?? null
}

/** Reads the sizes; null where a part that gives one is missing or is no matrix. */
export function readShapes(source: Recognised): DecoderShapes | null {
  const embedding = source.parts.get(bodyKey('embedding'))?.tensor
  const down = firstLayerWeight(source, 'down') ?? firstLayerWeight(source, 'expertDown')
  const output = firstLayerWeight(source, 'attentionOutput')
  const [vocabSize = 0, hiddenSize = 0] = embedding?.shape ?? []
  if (!embedding || !down || !output || [embedding, down, output].some(({ shape }) => shape.length !== 2)) return null
  // Which way matrices lie shows where the input is not as wide as the output.
  const conv1d = down.shape[1] === hiddenSize && down.shape[0] !== hiddenSize
  const outputs = (tensor: TensorInfo | null): number | null => tensor && (tensor.shape[conv1d ? 1 : 0] ?? null)
  const inputs = (tensor: TensorInfo): number => tensor.shape[conv1d ? 0 : 1] ?? 0
  return {
    vocabSize,
    hiddenSize,
    intermediateSize: inputs(down),
    layers: source.layers,
    queryRows: outputs(firstLayerWeight(source, 'query')) ?? inputs(output),
    keyRows: outputs(firstLayerWeight(source, 'key')) ?? keyRowsOfFused(source, { conv1d, queryRows: inputs(output) }),
    fusedRows: outputs(firstLayerWeight(source, 'queryKeyValue')),
    positions: source.parts.get(bodyKey('positions'))?.tensor.shape[0] ?? null,
    experts: countExperts(source, 'expertDown'),
    sharedExperts: countExperts(source, 'sharedDown'),
    conv1d,
    tensors: { embedding, feedForward: down, attentionOutput: output },
  }
}

/** How many experts follow each other in the first layer. */
function countExperts(source: Recognised, slot: ExpertSlot): number {
  let count = 0
  while (source.parts.has(expertKey({ layer: 0, expert: count }, slot))) count++
  return count
}

/** A fused projection has the queries' rows, which the output projection takes, and the keys' and values' in equal parts. */
function keyRowsOfFused(source: Recognised, sizes: { readonly conv1d: boolean; readonly queryRows: number }): number | null {
  const fused = firstLayerWeight(source, 'queryKeyValue')
  if (!fused) return null
  const rows = ((fused.shape[sizes.conv1d ? 1 : 0] ?? 0) - sizes.queryRows) / 2
  return Number.isInteger(rows) && rows > 0 ? rows : null
}

/** Tables are some kilobytes; the first rows are enough. */
const MAX_TABLE_BYTES = 1 << 20

/** theta from the second of the frequencies theta^(-2i/d), to the digits that their dtype has. */
function thetaOf(second: number, headDim: number): number | null {
  const theta = second ** (-headDim / 2)
  if (!Number.isFinite(theta) || theta < 2) return null
  const digits = theta.toPrecision(3)
  return Math.abs(Number(digits) / theta - 1) < 5e-3 ? Number(digits) : theta
}

/** Finds a table of rotation among the tensors that are dropped: frequencies [d / 2], or cosines [positions, d / 2 or d]. */
export async function readRotaryTable(
  source: Recognised,
  options: { readonly checkpoint: Checkpoint; readonly signal?: AbortSignal },
): Promise<RotaryTable | null> {
  const { checkpoint, signal } = options
  for (const [name, tensor] of source.dropped) {
    if (!isDecodable(tensor.dtype) || tensor.sizeBytes > MAX_TABLE_BYTES) continue
    const isFrequencies = /(inv_freq|rope\.freqs)$/.test(name) && tensor.shape.length === 1
    const isSines = /^freqs_sin$/.test(name) && tensor.shape.length === 2
    if (!isFrequencies && !isSines) continue
    const values = decodeFloat32(await checkpoint.read(tensor.name, signal), tensor.dtype)
    if (isFrequencies) {
      const headDim = 2 * (tensor.shape[0] ?? 0)
      return { headDim, theta: thetaOf(values[1] ?? NaN, headDim), positions: null, tensor: tensor.name }
    }
    const [positions = 0, columns = 0] = tensor.shape
    // Twice as many columns where the second half repeats the first, as rotating halves needs it.
    const repeats = columns % 2 === 0 && values[columns + columns / 2] === values[columns]
    const headDim = repeats ? columns : 2 * columns
    return { headDim, theta: thetaOf(Math.asin(values[columns + 1] ?? NaN), headDim), positions, tensor: tensor.name }
  }
  return null
}

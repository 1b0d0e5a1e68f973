// What models of one file take in memory: exported ONNX graphs, whose blocks are known by the names of their weights alone.
import type { ExportConfig } from '../config/export-config'
import type { ExportBorder } from '../graph/export-border'
import { BASE_BYTES, PREFILL_CHUNK_TOKENS } from './memory-model'
import { fitsIn } from './plan-device-map'
import type { TensorSize } from './weight-map'
import type { DeviceMap, MachineDescription, MapStage } from './types'

/** An exported decoder and the machine that it is planned for. */
export interface ExportedPlanRequest {
  readonly border: ExportBorder
  readonly config: ExportConfig
  readonly tensors: Iterable<TensorSize>
  readonly machine: MachineDescription
  readonly contextLength: number
}

const LAYER = /(?:^|[._/])(?:layers?|h|blocks?)[._/](\d{1,5})[._/]/
const EMBEDDING = /embed|wte|wpe/i

function cacheBytes({ cache, cacheKind }: ExportBorder, contextLength: number): number {
  const tokenBytes = cache.reduce((sum, { dtype, heads, headDim }) => sum + heads * headDim * (dtype === 'F32' ? 4 : 2), 0)
  // Where present is past with the new tokens behind it, both exist at once.
  return tokenBytes * contextLength * (cacheKind === 'joined' ? 2 : 1)
}

function stagesOf(tensors: Iterable<TensorSize>, layers: number, device: string): readonly MapStage[] {
  const bytes = { embedding: 0, head: 0, layers: new Array<number>(layers).fill(0) }
  for (const { name, dtype, sizeBytes } of tensors) {
    // The processor multiplies halves as F32 copies beside the mapped file.
    const resident = dtype === 'F16' || dtype === 'BF16' ? sizeBytes * 2 : sizeBytes
    const layer = Number(LAYER.exec(name)?.[1] ?? -1)
    if (layer >= 0 && layer < layers) bytes.layers[layer] = (bytes.layers[layer] ?? 0) + resident
    else if (EMBEDDING.test(name)) bytes.embedding += resident
    else bytes.head += resident
  }
  const place = { device, tied: false }
  return [
    { kind: 'embedding', index: null, weightBytes: bytes.embedding, ...place },
    ...bytes.layers.map((weightBytes, index): MapStage => ({ kind: 'layer', index, weightBytes, ...place })),
    { kind: 'head', index: null, weightBytes: bytes.head, ...place },
  ]
}

/** Places an exported decoder on the first device of a machine. The invariants are those of planDeviceMap; weights without a telling name count to the head. */
export function planExportedMap(request: ExportedPlanRequest): DeviceMap {
  const { border, config, machine } = request
  const [device] = machine.devices
  const contextLength = Math.min(request.contextLength, config.contextLength ?? request.contextLength)
  const tensors = [...request.tensors]
  const stages = stagesOf(tensors, Math.ceil(border.cache.length / 2), device.id)
  const weightBytes = stages.reduce((sum, stage) => sum + stage.weightBytes, 0)
  const kvBytes = cacheBytes(border, contextLength)
  const rows = Math.min(border.wholePrompt ? contextLength : PREFILL_CHUNK_TOKENS, contextLength)
  const heads = config.numKeyValueHeads ?? 1
  // Scores of every position as the graph gives them and as they are copied, and the attention's over the whole context.
  const workspaceBytes = 4 * rows * (2 * border.vocabSize + (border.cacheKind === 'in-place' ? 0 : 2 * heads * contextLength))
  const totalBytes = weightBytes + kvBytes + workspaceBytes + BASE_BYTES
  const predicted = { weightBytes, kvBytes, workspaceBytes, baseBytes: BASE_BYTES, totalBytes }
  const nothing = { weightBytes: 0, kvBytes: 0, workspaceBytes: 0, baseBytes: 0, totalBytes: 0 }
  const byDtype = new Map<string, number>()
  for (const { dtype, sizeBytes } of tensors) byDtype.set(dtype, (byDtype.get(dtype) ?? 0) + sizeBytes)
  const [largest] = [...byDtype].sort(([, a], [, b]) => b - a)
  return {
    contextLength,
    weightDtype: largest?.[0] ?? 'F32',
    format: null,
    preparedBytes: 0,
    preparingBytes: 0,
    readBytes: { f32: weightBytes, widened: 0, q8: 0, q4: 0, keysAndValues: kvBytes },
    stages,
    devices: machine.devices.map((each) => ({ ...each, predicted: each === device ? predicted : nothing, measuredBytes: null })),
    fits: fitsIn(device, totalBytes),
  }
}

// planDeviceMap: which device each block of a decoder goes to, and the memory that is predicted there.
import { contextLengthTokens } from '../graph/rope/context-length'
import type { DecoderConfig } from '../config/decoder-config'
import type { FormatOverride } from '../graph/format-override'
import type { WeightFormatName } from '../graph/weight-format'
import { chooseWidening, type Widening } from '../graph/widening'
import { preparingBytes, workingMemory } from './memory-model'
import type { DeviceDescription, DeviceMap, MachineDescription, MapStage, MemoryPrediction } from './types'
import { mapWeights, type TensorSize } from './weight-map'

/** What is planned for what. */
export interface PlanRequest {
  readonly config: DecoderConfig
  readonly tensors: Iterable<TensorSize>
  readonly machine: MachineDescription
  /** Tokens of the context window; the model's own length by default, and never more. */
  readonly contextLength?: number | null
  /** Default: as loading chooses, at load where the copies fit comfortably. */
  readonly widening?: Widening
  /** What the matrices are computed with; f32 by default. */
  readonly format?: WeightFormatName
  readonly formatOverrides?: readonly FormatOverride[]
  /** Threads that prepare weights: each holds a part of them meanwhile. Default 1. */
  readonly threads?: number
}

/** The prediction may be this much too low and the device must still have room. */
const MARGIN = { share: 0.01, bytes: 150 * 1024 * 1024 } as const

/**
 * Places a decoder on a machine; with one device everything lies there. Pure: the same request gives the same map.
 *
 * Invariants: stages are the embedding, every layer once in order, the head; every stage lies on a device of the map; the stages of a device add up to its
 * predicted weight bytes; the parts of a prediction add up to its total; `fits` says that every device has room for its prediction and a margin.
 */
export function planDeviceMap(request: PlanRequest): DeviceMap {
  const { config, machine, format = 'f32', formatOverrides: overrides = [] } = request
  const [device] = machine.devices
  const contextLength = Math.min(request.contextLength ?? contextLengthTokens(config), contextLengthTokens(config))
  const tensors = [...request.tensors]
  const lowMemory = format === 'f32-low-memory' ? 'per-run' : null
  const widening =
    request.widening ?? lowMemory ?? chooseWidening({ sixteenBitBytes: sixteenBitBytes(tensors), freeBytes: device.freeBytes })
  const weights = mapWeights({ config, tensors, widening, format, overrides })
  const place = { device: device.id, tied: false }
  const stages: MapStage[] = [
    { kind: 'embedding', index: null, weightBytes: weights.embeddingBytes, ...place },
    ...weights.layerBytes.map((weightBytes, index): MapStage => ({ kind: 'layer', index, weightBytes, ...place })),
    { kind: 'head', index: null, weightBytes: weights.headBytes, ...place, tied: weights.tied },
  ]
  const working = workingMemory(config, contextLength)
  const weightBytes = stages.reduce((sum, stage) => sum + stage.weightBytes, 0)
  const isWidened = widening === 'per-run' && weights.readBytes.widened > 0
  const workspaceBytes = working.workspaceBytes + (isWidened ? WIDENED_COPIES * weights.largestWidenedBytes : 0)
  const totalBytes = weightBytes + working.kvBytes + workspaceBytes + working.baseBytes
  const predicted: MemoryPrediction = { ...working, weightBytes, workspaceBytes, totalBytes }
  return {
    contextLength,
    weightDtype: weights.dtype,
    format,
    preparedBytes: weights.preparedBytes,
    preparingBytes: weights.preparedBytes === 0 ? 0 : preparingBytes({ threads: request.threads ?? 1, totalBytes }),
    readBytes: { ...weights.readBytes, keysAndValues: working.kvBytes },
    stages,
    devices: machine.devices.map((each) => ({ ...each, predicted: each === device ? predicted : NOTHING, measuredBytes: null })),
    fits: fitsIn(device, totalBytes),
  }
}

/** Whether a device has room for a prediction and its margin. */
export function fitsIn({ freeBytes }: Pick<DeviceDescription, 'freeBytes'>, totalBytes: number): boolean {
  return totalBytes * (1 + MARGIN.share) + MARGIN.bytes <= freeBytes
}

/** Widening in a run holds a matrix reshaped, widened, and what the allocator keeps of the one before. */
const WIDENED_COPIES = 2

const NOTHING: MemoryPrediction = { weightBytes: 0, kvBytes: 0, workspaceBytes: 0, baseBytes: 0, totalBytes: 0 }

/** Bytes of the 16-bit tensors, as stored. */
function sixteenBitBytes(tensors: readonly TensorSize[]): number {
  return tensors.reduce((sum, { dtype, sizeBytes }) => (dtype === 'BF16' || dtype === 'F16' ? sum + sizeBytes : sum), 0)
}

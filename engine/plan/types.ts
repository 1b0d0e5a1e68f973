// Machines and device maps as the planner sees them. Pure data: probes fill the machine in, hosts show the map.

import type { WeightFormatName } from '../graph/weight-format'

/** Ways of multiplying that differ in speed per byte: F32, 16-bit values widened in every run, 8-bit and 4-bit codes. */
export type WeightKernel = 'f32' | 'widened' | 'q8' | 'q4'

/** A device that can hold and compute layers. Bytes as the system reports them; what this process holds already counts as taken. */
export interface DeviceDescription {
  readonly id: string
  readonly kind: 'cpu'
  readonly name: string
  readonly totalBytes: number
  readonly freeBytes: number
}

/** A machine, real or imagined. */
export interface MachineDescription {
  readonly devices: readonly [DeviceDescription, ...DeviceDescription[]]
}

/** One block of a decoder on its device. `index` is the layer's number, null beside the layers. */
export interface MapStage {
  readonly kind: 'embedding' | 'layer' | 'head'
  readonly index: number | null
  readonly device: string
  /** Bytes of the block's weights in memory. */
  readonly weightBytes: number
  /** The head computes with the embedding's weights. */
  readonly tied: boolean
}

/** Predicted memory of one device; the parts add up to `totalBytes`. */
export interface MemoryPrediction {
  readonly weightBytes: number
  /** Keys and values of a full context window. */
  readonly kvBytes: number
  /** Activations of one prefill chunk, rotary tables, scores. */
  readonly workspaceBytes: number
  /** The engine process itself, without a model. */
  readonly baseBytes: number
  readonly totalBytes: number
}

/** Where each block goes and what that costs. */
export interface DeviceMap {
  readonly contextLength: number
  /** The dtype that most weights are stored in. */
  readonly weightDtype: string
  /** What the matrices are computed with; null where the graph came with its own. */
  readonly format: WeightFormatName | null
  /** Size of the prepared file, 0 where weights are used as they lie in their files. */
  readonly preparedBytes: number
  /** Predicted peak of a load that makes that file first. */
  readonly preparingBytes: number
  /** What one generated token reads, by the way it is multiplied, and the keys and values of a full context. */
  readonly readBytes: Readonly<Record<WeightKernel | 'keysAndValues', number>>
  readonly stages: readonly MapStage[]
  readonly devices: readonly (DeviceDescription & { readonly predicted: MemoryPrediction; readonly measuredBytes: null })[]
  /** Whether every device has room for its prediction with a margin. */
  readonly fits: boolean
}

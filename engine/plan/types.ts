// Machines and device maps as the planner sees them. Pure data: probes fill the machine in, hosts show the map.

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
  readonly stages: readonly MapStage[]
  readonly devices: readonly (DeviceDescription & { readonly predicted: MemoryPrediction; readonly measuredBytes: null })[]
  /** Whether every device has room for its prediction with a margin. */
  readonly fits: boolean
}

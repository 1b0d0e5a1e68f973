// The speed model: one generated token reads every active weight once, so its time is bytes over the speed of each way of multiplying, and what every layer costs beside.
import type { DeviceMap, WeightKernel } from './types'

/** What a machine reads in a second by the way it is multiplied, in bytes, and what one layer costs beside its weights. Measured by engine/runtime/measure-kernels.ts. */
export interface KernelSpeeds {
  readonly threads: number
  readonly bytesPerSecond: Readonly<Record<WeightKernel, number>>
  /** Norms, rotation, attention over a short context, and calling them. */
  readonly layerSeconds: number
}

/** What decoding reached of the kernels' measured speed, a model of 98M parameters on two cores: short chains of products stay in caches in part, widening is spread better in a model. */
const REACHED: Readonly<Record<WeightKernel, number>> = { f32: 0.7, widened: 1.3, q8: 0.75, q4: 0.82 }

/** Tokens in the context where the estimate holds: a short conversation. */
const ESTIMATED_CONTEXT_TOKENS = 512

/** Tokens a second of one reply. The share of the keys and values that a short conversation has filled is read with the weights. */
export function estimateDecodeSpeed(map: Pick<DeviceMap, 'readBytes' | 'stages' | 'contextLength'>, speeds: KernelSpeeds): number {
  const { readBytes, stages, contextLength } = map
  const { bytesPerSecond, layerSeconds } = speeds
  const filled = Math.min(1, ESTIMATED_CONTEXT_TOKENS / Math.max(1, contextLength))
  const kernels = ['f32', 'widened', 'q8', 'q4'] as const
  const weights = kernels.reduce((seconds, kernel) => seconds + readBytes[kernel] / (REACHED[kernel] * bytesPerSecond[kernel]), 0)
  const cache = (readBytes.keysAndValues * filled) / bytesPerSecond.f32
  const layers = stages.filter(({ kind }) => kind === 'layer').length
  return 1 / (weights + cache + layers * layerSeconds)
}

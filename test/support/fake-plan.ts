// The device map of the fake bridge, made up from a model's entry. Only type imports, as its user is put into a page.
import type { DevicePlan, ModelEntry } from '../../preload/contract'

/** A plan for one processor; `measuredBytes` undefined is a little below the prediction. */
export function fakePlan(
  model: ModelEntry,
  options: { readonly modelId: string; readonly contextLength: number | null; readonly measuredBytes: number | null | undefined },
): DevicePlan {
  const { modelId, contextLength, measuredBytes } = options
  const layers = model.parameterCount !== null && model.parameterCount > 1e9 ? 32 : 8
  const tokens = contextLength ?? model.contextLength ?? 2048
  const [weightBytes, kvBytes] = [model.sizeBytes, tokens * layers * 4096]
  const predicted = { weightBytes, kvBytes, workspaceBytes: Math.round(weightBytes * 0.12) + tokens * 900, baseBytes: 62_000_000 }
  const totalBytes = Object.values(predicted).reduce((sum, bytes) => sum + bytes, 0)
  const stage = (kind: 'embedding' | 'layer' | 'head', index: number | null) => ({
    kind,
    index,
    device: 'cpu',
    weightBytes: kind === 'layer' ? Math.round((weightBytes * 0.8) / layers) : Math.round(weightBytes * 0.2),
    tied: kind === 'head',
  })
  return {
    modelId,
    contextLength: tokens,
    weightDtype: model.dtype ?? 'F32',
    format: 'quality',
    preparedBytes: 0,
    preparingBytes: 0,
    stages: [stage('embedding', null), ...Array.from({ length: layers }, (_, index) => stage('layer', index)), stage('head', null)],
    devices: [
      {
        id: 'cpu',
        kind: 'cpu',
        name: 'AMD Ryzen 7 7840U',
        totalBytes: 33_400_000_000,
        freeBytes: 21_900_000_000,
        predicted: { ...predicted, totalBytes },
        measuredBytes: measuredBytes === undefined ? Math.round(totalBytes * 0.94) : measuredBytes,
      },
    ],
    fits: totalBytes < 21_900_000_000,
  }
}

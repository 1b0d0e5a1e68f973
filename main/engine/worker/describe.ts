// What a model directory is, and what loading it would take: read from headers, without a weight.
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { loadDecoderConfig } from '../../../engine/config/read-config'
import { supportedModelTypes } from '../../../engine/config/families/table'
import { describeModelDirectory } from '../../../engine/inspect/describe-model'
import { planDeviceMap } from '../../../engine/plan/plan-device-map'
import { describeMachine } from '../../../engine/runtime/machine'
import type { EngineMethods, ModelDescription, PlanOutcome } from '../protocol'
import { readModelCardSummary } from './model-card'
import { plainDetails } from './plain-details'

/** Describes a directory for the library; the model's problems are in `state` and `problem`. */
export async function describeModel(path: string, signal: AbortSignal): Promise<ModelDescription> {
  const [summary, description] = await Promise.all([
    describeModelDirectory(path, { supportedModelTypes, signal }),
    readModelCardSummary(path),
  ])
  const { modelType, dtype, parameterCount, contextLength, state, error } = summary
  return {
    sizeBytes: summary.weightBytes ?? 0,
    modelType,
    dtype,
    parameterCount,
    contextLength,
    state,
    problem: error === null ? null : { code: error.code, message: error.message, details: plainDetails(error.details) },
    description,
  }
}

/** Plans a directory's decoder on this machine. `contextLength` null plans what loading would choose. */
export async function planModel(
  { path, contextLength }: EngineMethods['plan']['params'],
  options: { readonly defaultContextLength: number; readonly signal: AbortSignal },
): Promise<PlanOutcome> {
  const { signal } = options
  const config = await loadDecoderConfig(path, { supportedModelTypes, signal })
  using checkpoint = await openCheckpoint(path, { signal })
  const wanted = contextLength ?? options.defaultContextLength
  return planDeviceMap({ config, tensors: checkpoint.tensors.values(), machine: describeMachine(), contextLength: wanted })
}

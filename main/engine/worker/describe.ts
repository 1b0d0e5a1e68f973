// What a model directory is: read from headers, without a weight.
import { supportedModelTypes } from '../../../engine/config/families/table'
import { describeModelDirectory } from '../../../engine/inspect/describe-model'
import type { ModelDescription } from '../protocol'
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

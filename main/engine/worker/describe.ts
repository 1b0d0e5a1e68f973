// What a model directory is, and what loading it would take: read from headers, without a weight.
import { openModelCheckpoint } from '../../../engine/config/open-model-checkpoint'
import { openOnnx } from '../../../engine/checkpoint/onnx/onnx'
import { readOnnxOutline } from '../../../engine/checkpoint/onnx/outline'
import { loadExportConfig } from '../../../engine/config/export-config'
import { openGgufModel } from '../../../engine/config/gguf/open-gguf-model'
import { findModelSource } from '../../../engine/config/model-source'
import { matchExportBorder } from '../../../engine/graph/export-border'
import { planExportedMap, residentSize } from '../../../engine/plan/plan-exported'
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
  const wanted = contextLength ?? options.defaultContextLength
  const request = { machine: describeMachine(), contextLength: wanted }
  const source = await findModelSource(path)
  if (source.kind === 'onnx') {
    const config = await loadExportConfig(source.directory, { signal })
    using checkpoint = await openOnnx(source.path, { signal })
    const border = matchExportBorder(await readOnnxOutline(source.path, { signal }), config)
    return planExportedMap({ ...request, border, config, tensors: checkpoint.tensors.values() })
  }
  if (source.kind === 'gguf') {
    const { config, checkpoint } = await openGgufModel(source.path, { signal })
    using opened = checkpoint
    return planDeviceMap({ ...request, config, tensors: [...opened.tensors.values()].map(residentSize) })
  }
  const config = await loadDecoderConfig(source.directory, { supportedModelTypes, signal })
  using checkpoint = await openModelCheckpoint(source, { signal })
  return planDeviceMap({ ...request, config, tensors: [...checkpoint.tensors.values()].map(residentSize) })
}

// What loading a model would take in each weight format: read from headers, or from a config.json alone, without a weight.
import { dirname } from 'node:path'
import { namedBlocks, namedDtype } from '../../../engine/config/imagined-dtype'
import { openModelCheckpoint } from '../../../engine/config/open-model-checkpoint'
import { openOnnx } from '../../../engine/checkpoint/onnx/onnx'
import { readOnnxOutline } from '../../../engine/checkpoint/onnx/outline'
import type { Checkpoint, TensorInfo } from '../../../engine/checkpoint/types'
import type { DecoderConfig } from '../../../engine/config/decoder-config'
import { loadExportConfig } from '../../../engine/config/export-config'
import { openGgufModel } from '../../../engine/config/gguf/open-gguf-model'
import { findModelSource, type ModelSource } from '../../../engine/config/model-source'
import { loadDecoderConfig, readConfigJson } from '../../../engine/config/read-config'
import { readQuantization } from '../../../engine/config/read-quantization'
import { supportedModelTypes } from '../../../engine/config/families/table'
import { EngineError } from '../../../engine/errors'
import { matchExportBorder } from '../../../engine/graph/export-border'
import type { FormatOverride } from '../../../engine/graph/format-override'
import { imaginedTensors } from '../../../engine/graph/used-weights'
import { chooseWeightFormat, type WeightFormatName } from '../../../engine/graph/weight-format'
import { contextLengthTokens } from '../../../engine/graph/rope/context-length'
import { planDeviceMap } from '../../../engine/plan/plan-device-map'
import { planExportedMap } from '../../../engine/plan/plan-exported'
import { estimateDecodeSpeed, type KernelSpeeds } from '../../../engine/plan/speed-model'
import type { DeviceMap } from '../../../engine/plan/types'
import type { FormatPreview, LoadPreview } from '../../../preload/contract'
import { isPrepared } from '../../../engine/runtime/prepared-weights'
import { describeMachine } from '../../../engine/runtime/machine'
import { defaultThreads } from '../../../engine/runtime/threads'

/** What is planned. */
export interface PlanQuestion {
  readonly path: string
  /** null plans what loading would choose. */
  readonly contextLength: number | null
  readonly defaultContextLength: number
  readonly formatOverrides?: readonly FormatOverride[]
  /** Threads that prepare weights; the machine's by default. */
  readonly threads?: number | null
  readonly signal: AbortSignal
}

/** A model that can be planned in every format. Dispose closes its files. */
interface PlannableModel extends Disposable {
  /** What loading takes where nobody chose; null for exported models, which come with their own. */
  readonly suggested: WeightFormatName | null
  /** The longest context window. */
  readonly maxContextLength: number
  readonly plan: (format: WeightFormatName) => DeviceMap
  /** Whether the prepared file of a format lies in a folder; false also for models that are known by their configuration alone. */
  readonly isPrepared: (format: WeightFormatName, folder: string) => Promise<boolean>
}

/** Opens a model for planning: a folder, a weight file, or a config.json without weights. Throws what the readers throw, and planning what mapWeights throws. */
async function openPlannable(question: PlanQuestion): Promise<PlannableModel> {
  const { path, signal } = question
  const source = await findModelSource(path)
  if (source.kind === 'onnx') return await openExported(source, question)
  if (source.kind === 'gguf') {
    const { config, checkpoint } = await openGgufModel(source.path, { signal })
    return plannable({ config, tensors: checkpoint.tensors, checkpoint }, question)
  }
  const isConfig = source.path.endsWith('.json') && !source.path.endsWith('.index.json')
  const directory = isConfig ? dirname(source.path) : source.directory
  const config = await loadDecoderConfig(directory, { supportedModelTypes, signal })
  const checkpoint = isConfig ? null : await openUnlessAbsent(source, signal)
  if (checkpoint !== null) return plannable({ config, tensors: checkpoint.tensors, checkpoint }, question)
  const json = await readConfigJson(directory, { signal })
  const scheme = readQuantization(json, directory)
  const stored = { dtype: namedDtype(json), packed: scheme === null ? null : namedBlocks(scheme) }
  return plannable({ config, tensors: imaginedTensors(config, stored), checkpoint: null }, question)
}

/** Null where the folder has a configuration and no weights. */
async function openUnlessAbsent(source: ModelSource, signal: AbortSignal): Promise<Checkpoint | null> {
  try {
    return await openModelCheckpoint(source, { signal })
  } catch (failure) {
    if (failure instanceof EngineError && failure.code === 'checkpoint/no-weights') return null
    throw failure
  }
}

async function openExported(source: ModelSource, question: PlanQuestion): Promise<PlannableModel> {
  const { signal } = question
  const config = await loadExportConfig(source.directory, { signal })
  const checkpoint = await openOnnx(source.path, { signal })
  const border = matchExportBorder(await readOnnxOutline(source.path, { signal }), config)
  const contextLength = question.contextLength ?? question.defaultContextLength
  return {
    suggested: null,
    maxContextLength: config.contextLength ?? contextLength,
    plan: () => planExportedMap({ machine: describeMachine(), contextLength, border, config, tensors: checkpoint.tensors.values() }),
    isPrepared: () => Promise.resolve(false),
    [Symbol.dispose]: () => checkpoint[Symbol.dispose](),
  }
}

function plannable(
  model: { readonly config: DecoderConfig; readonly tensors: ReadonlyMap<string, TensorInfo>; readonly checkpoint: Checkpoint | null },
  { contextLength, defaultContextLength, formatOverrides = [], threads, signal }: PlanQuestion,
): PlannableModel {
  const { config, tensors, checkpoint } = model
  return {
    suggested: chooseWeightFormat(tensors.values()),
    maxContextLength: contextLengthTokens(config),
    plan: (format) =>
      planDeviceMap({
        config,
        tensors: tensors.values(),
        machine: describeMachine(),
        contextLength: contextLength ?? defaultContextLength,
        format,
        formatOverrides,
        threads: threads ?? defaultThreads(),
      }),
    isPrepared: async (format, folder) =>
      checkpoint !== null && (await isPrepared(checkpoint, { format, overrides: formatOverrides, cache: { folder }, signal })),
    [Symbol.dispose]: () => checkpoint?.[Symbol.dispose](),
  }
}

/** Plans a model on this machine in one format; 'auto' is what loading would choose. */
export async function planModel(question: PlanQuestion & { readonly weightFormat: WeightFormatName | 'auto' }): Promise<DeviceMap> {
  using model = await openPlannable(question)
  const { weightFormat } = question
  return model.plan(weightFormat === 'auto' ? (model.suggested ?? 'f32') : weightFormat)
}

/** What people choose among. */
const PRESETS = ['quality', 'balanced', 'fast', 'f32', 'f32-low-memory'] as const

/** Plans every format that people choose among; speeds are estimates from what the machine's kernels reach. */
export async function previewFormats(
  question: PlanQuestion & { readonly preparedFolder: string; readonly speeds: KernelSpeeds | null },
): Promise<Omit<LoadPreview, 'modelId'>> {
  using model = await openPlannable(question)
  const { suggested, maxContextLength } = model
  const choices = suggested === 'stored' ? (['stored', ...PRESETS] as const) : PRESETS
  const formats: FormatPreview[] = []
  let machine = { contextLength: 0, freeBytes: 0, totalBytes: 0 }
  for (const format of suggested === null ? ([null] as const) : choices) {
    const map = model.plan(format ?? 'f32')
    const [device] = map.devices
    if (device === undefined) continue
    machine = { contextLength: map.contextLength, freeBytes: device.freeBytes, totalBytes: device.totalBytes }
    const { preparedBytes, fits } = map
    const exists = preparedBytes > 0 && format !== null && (await model.isPrepared(format, question.preparedFolder))
    const peakBytes = preparedBytes === 0 || exists ? device.predicted.totalBytes : map.preparingBytes
    const tokensPerSecond = question.speeds === null ? null : estimateDecodeSpeed(map, question.speeds)
    formats.push({
      format,
      suggested: format === null || format === suggested,
      predicted: device.predicted,
      peakBytes,
      fit: fits ? 'fits' : peakBytes <= device.freeBytes ? 'tight' : 'too-large',
      prepared: preparedBytes === 0 ? null : { sizeBytes: preparedBytes, exists },
      speed: tokensPerSecond === null ? null : { tokensPerSecond, basis: 'estimated' },
      perplexity: null,
    })
  }
  return { maxContextLength, ...machine, formats }
}

// The part of the contract that loads models by choice: what each format takes, measuring it, and remembering what was chosen.
import { cpus } from 'node:os'
import type { FormatPreview, LoadPreview, MeasureEvent, PerplexityResult, StreamInput } from '../../preload/contract'
import type { loadingCalls, loadingStreams } from '../../preload/contract-loading'
import type { CallHandlers, StreamHandlers } from '../dispatch'
import type { EngineService, ModelTarget } from '../engine/engine-service'
import { contractErrorOf } from '../service-error'
import type { SettingsService } from '../settings/settings-service'
import { loadChoiceOf, withLoadChoice } from './load-choice'
import { recipeOf, type MeasurementKey, type Measurements } from './measurements'

/** What the handlers stand on. */
export interface LoadingParts {
  readonly engine: EngineService
  readonly settings: SettingsService
  readonly measurements: Measurements
  readonly targetOf: (modelId: string) => Promise<ModelTarget>
  /** Bytes of a model's weight files. */
  readonly modelBytes: (modelId: string) => Promise<number>
  /** Loads a model again that was loaded before; its outcome is in the engine's state. */
  readonly reload: (modelId: string) => void
  readonly now: () => number
}

interface LoadingHandlers {
  readonly calls: Pick<CallHandlers, keyof typeof loadingCalls>
  readonly streams: Pick<StreamHandlers, keyof typeof loadingStreams>
}

/** The handlers of the contract's part for loading. */
export function loadingHandlers(parts: LoadingParts): LoadingHandlers {
  const { settings } = parts
  return {
    calls: {
      'loading.preview': async (request) => await preview(parts, request),
      'loading.choice': ({ modelId }) => loadChoiceOf(settings.get(), modelId),
      'loading.choose': async ({ modelId, choice }) => {
        await settings.set({ modelLoads: [...withLoadChoice(settings.get().modelLoads, modelId, choice)] })
        return null
      },
    },
    streams: {
      'loading.measure': async ({ input, emit, signal }) => await measure(parts, input, { emit, signal }),
    },
  }
}

/** Kernels are as fast as before where processor and threads are the same. */
function machineName(threads: number | null): string {
  return `${cpus()[0]?.model.trim() ?? ''} ${cpus().length} ${threads ?? 'auto'}`
}

async function preview(
  parts: LoadingParts,
  { modelId, contextLength, formatOverrides }: Parameters<LoadingHandlers['calls']['loading.preview']>[0],
): Promise<LoadPreview> {
  const { engine, measurements } = parts
  const { path, threads, preparedFolder } = await parts.targetOf(modelId)
  const machine = machineName(threads)
  let speeds = measurements.kernels(machine)
  if (speeds === null) {
    speeds = await engine.request('measureKernels', { threads }).catch(() => null)
    if (speeds !== null) await measurements.noteKernels(machine, speeds)
  }
  const found = await engine.request('previewFormats', { path, contextLength, formatOverrides, threads, preparedFolder, speeds })
  const modelBytes = await parts.modelBytes(modelId)
  const known = (format: FormatPreview): FormatPreview => {
    const recipe = recipeOf(format.format ?? 'own', formatOverrides)
    const measured = measurements.find({ modelId, modelBytes, recipe, threads })
    const { tokensPerSecond, perplexity } = measured ?? {}
    return {
      ...format,
      speed: tokensPerSecond === undefined ? format.speed : { tokensPerSecond, basis: 'measured' },
      perplexity: perplexity === undefined || perplexity.text !== found.textVersion ? null : resultOf(perplexity),
    }
  }
  const { textVersion: _version, ...facts } = found
  return { ...facts, modelId, formats: found.formats.map(known) }
}

function resultOf({ perplexity, tokens, measuredAtMs }: PerplexityResult): PerplexityResult {
  return { perplexity, tokens, measuredAtMs }
}

async function measure(
  parts: LoadingParts,
  { modelId, formats, formatOverrides }: StreamInput<'loading.measure'>,
  { emit, signal }: { readonly emit: (event: MeasureEvent) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { engine, measurements, now } = parts
  const before = engine.state()
  const isStopped = (): boolean => signal.aborted
  const target = await parts.targetOf(modelId)
  const modelBytes = await parts.modelBytes(modelId)
  // Two models at once may not fit: what is loaded is left, and loaded again afterwards.
  await engine.unload()
  try {
    for (const format of formats) {
      if (isStopped()) return
      const key: MeasurementKey = { modelId, modelBytes, recipe: recipeOf(format, formatOverrides), threads: target.threads }
      try {
        const { perplexity, tokens, tokensPerSecond, textVersion } = await engine.request(
          'measureFormat',
          { ...target, weightFormat: format, formatOverrides },
          { signal, onEvent: ({ stage, fraction }) => emit({ type: 'progress', format, stage, fraction }) },
        )
        const result = { perplexity, tokens, measuredAtMs: now() }
        await measurements.note(key, { tokensPerSecond, speedAtMs: now(), perplexity: { ...result, text: textVersion } })
        emit({ type: 'measured', format, result, tokensPerSecond })
      } catch (failure) {
        if (isStopped()) return
        const error = contractErrorOf(failure)
        if (error === null) throw failure
        emit({ type: 'failed', format, error })
      }
    }
  } finally {
    if (before.status === 'ready') parts.reload(before.model.modelId)
  }
}

// The part of the fake bridge that loads models by choice. Only type imports, as its user is put into a page.
import type { FormatPreview, LoadChoice, LoadPreview, MeasureEvent, ModelEntry, Result, Settings } from '../../preload/contract'

const FREE_BYTES = 21_900_000_000
/** Bytes a weight, what it is slower or faster than F32, and what it adds to the perplexity. */
const FORMATS = {
  quality: { share: 1.25, speed: 3.1, perplexity: 1.002, prepared: 1.125 },
  balanced: { share: 0.64, speed: 5.2, perplexity: 1.04, prepared: 0.6 },
  fast: { share: 0.57, speed: 5.9, perplexity: 1.09, prepared: 0.55 },
  f32: { share: 4, speed: 1, perplexity: 1, prepared: 0 },
  'f32-low-memory': { share: 2.2, speed: 0.4, perplexity: 1, prepared: 0 },
} as const

/** A preview made up from a model's entry. */
export function fakeLoadPreview(
  model: ModelEntry,
  options: {
    readonly modelId: string
    readonly contextLength: number | null
    readonly freeBytes?: number | undefined
    readonly measured: ReadonlySet<string>
  },
): LoadPreview {
  const { modelId, contextLength, freeBytes = FREE_BYTES, measured } = options
  const parameters = model.parameterCount ?? model.sizeBytes / 2
  const tokens = contextLength ?? Math.min(model.contextLength ?? 2048, 8192)
  const formats = (['quality', 'balanced', 'fast', 'f32', 'f32-low-memory'] as const).map((format): FormatPreview => {
    const { share, speed, perplexity, prepared } = FORMATS[format]
    const weightBytes = Math.round(parameters * share)
    const kvBytes = tokens * 65_536
    const parts = { weightBytes, kvBytes, workspaceBytes: 40_000_000, baseBytes: 117_000_000 }
    const totalBytes = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0)
    const isMeasured = measured.has(format)
    const tokensPerSecond = (25e9 / (parameters * 4)) * speed
    return {
      format,
      suggested: format === 'quality',
      predicted: { ...parts, totalBytes },
      peakBytes: totalBytes,
      fit: totalBytes > freeBytes ? 'too-large' : totalBytes > 0.93 * freeBytes ? 'tight' : 'fits',
      prepared: prepared === 0 ? null : { sizeBytes: Math.round(parameters * prepared), exists: format === 'quality' },
      speed: { tokensPerSecond: isMeasured ? tokensPerSecond * 0.93 : tokensPerSecond, basis: isMeasured ? 'measured' : 'estimated' },
      perplexity: isMeasured ? { perplexity: 14.213 * perplexity, tokens: 1012, measuredAtMs: 1_760_000_000_000 } : null,
    }
  })
  return { modelId, contextLength: tokens, maxContextLength: model.contextLength ?? 2048, freeBytes, totalBytes: 33_400_000_000, formats }
}

/** How a model is loaded by these settings. */
export function fakeLoadChoice(settings: Settings, modelId: string): LoadChoice {
  const { weightFormat, contextLength } = settings
  return settings.modelLoads.find((load) => load.modelId === modelId)?.choice ?? { weightFormat, contextLength, formatOverrides: [] }
}

/** Measures one format after the other, a step a turn. Returns its closer. */
export function fakeMeasure(
  formats: readonly string[],
  sink: { readonly event: (event: MeasureEvent) => void; readonly end: (result: Result<null>) => void },
  options: { readonly measured: Set<string>; readonly stepMs: number },
): () => void {
  const steps = formats.flatMap((format): readonly MeasureEvent[] => [
    { type: 'progress', format, stage: 'prepare', fraction: 0.5 },
    { type: 'progress', format, stage: 'perplexity', fraction: 0.4 },
    { type: 'measured', format, result: { perplexity: 14.2, tokens: 1012, measuredAtMs: 1_760_000_000_000 }, tokensPerSecond: 20 },
  ])
  let next = 0
  const timer = setInterval(() => {
    const event = steps[next++]
    if (event === undefined) {
      clearInterval(timer)
      sink.end({ ok: true, value: null })
      return
    }
    if (event.type === 'measured') options.measured.add(event.format)
    sink.event(event)
  }, options.stepMs)
  return () => {
    clearInterval(timer)
    sink.end({ ok: true, value: null })
  }
}

// The contract's part for loading a model: in which format its weights are computed with, what that takes, how fast it is and what it costs in quality.
import * as v from 'valibot'
import { call, integer, path, stream, text } from './contract-entries'
import type { ContractError } from './contract-entries'

/** How the weights of a model are computed with: the engine's names, or its own choice. 'stored' takes a quantized checkpoint's own codes. */
export const weightFormats = ['auto', 'quality', 'balanced', 'fast', 'f32', 'f32-low-memory', 'stored'] as const
export type ChosenWeightFormat = (typeof weightFormats)[number]

/** Formats that single matrices can have. */
const matrixFormats = ['f32', 'q8', 'q4', 'balanced', 'fast'] as const

/** Another format for matrices whose names fit: `*` stands for any characters. */
const formatOverrides = v.pipe(
  v.array(v.strictObject({ pattern: v.pipe(text(256), v.trim(), v.minLength(1)), format: v.picklist(matrixFormats) })),
  v.maxLength(64),
)
export type MatrixFormatOverride = v.InferOutput<typeof formatOverrides>[number]

/** How one model is loaded, where it is not as the settings say. */
export const loadChoiceSchema = v.strictObject({
  weightFormat: v.picklist(weightFormats),
  /** null = the model's own length, up to what the engine takes by itself. */
  contextLength: v.nullable(integer(16, 1_048_576)),
  formatOverrides,
})
export type LoadChoice = v.InferOutput<typeof loadChoiceSchema>

/** Predicted memory of one device; the parts add up to `totalBytes`. */
export interface PredictedMemory {
  readonly weightBytes: number
  readonly kvBytes: number
  readonly workspaceBytes: number
  readonly baseBytes: number
  readonly totalBytes: number
}

/** How well a model predicts the built-in text. */
export interface PerplexityResult {
  readonly perplexity: number
  readonly tokens: number
  readonly measuredAtMs: number
}

/** One format that a model can be loaded in. */
export interface FormatPreview {
  /** null: an exported model, which comes with its own. */
  readonly format: Exclude<ChosenWeightFormat, 'auto'> | null
  /** What the engine takes by itself. */
  readonly suggested: boolean
  readonly predicted: PredictedMemory
  /** The larger one of loading and preparing. */
  readonly peakBytes: number
  /** 'tight': less is left than the prediction may be wrong by. */
  readonly fit: 'fits' | 'tight' | 'too-large'
  /** The file of prepared weights; null where none is needed. */
  readonly prepared: { readonly sizeBytes: number; readonly exists: boolean } | null
  readonly speed: { readonly tokensPerSecond: number; readonly basis: 'measured' | 'estimated' } | null
  readonly perplexity: PerplexityResult | null
}

/** What loading a model would take, format by format. */
export interface LoadPreview {
  readonly modelId: string
  readonly contextLength: number
  readonly maxContextLength: number
  readonly freeBytes: number
  readonly totalBytes: number
  readonly formats: readonly FormatPreview[]
}

/** A measurement under way. `fraction` is that of the present format. */
export type MeasureEvent =
  | { readonly type: 'progress'; readonly format: string; readonly stage: string; readonly fraction: number }
  | { readonly type: 'measured'; readonly format: string; readonly result: PerplexityResult; readonly tokensPerSecond: number }
  /** This format could not be measured; the others go on. */
  | { readonly type: 'failed'; readonly format: string; readonly error: ContractError }

export const loadingCalls = {
  /** Memory, speed and quality of every format at this context length. */
  'loading.preview': call<LoadPreview>()(
    v.strictObject({ modelId: path, contextLength: v.nullable(integer(16, 1_048_576)), formatOverrides }),
  ),
  /** How this model is loaded: as chosen for it, else as the settings say. */
  'loading.choice': call<LoadChoice>()(v.strictObject({ modelId: path })),
  /** Remembers how a model is loaded from now on; null forgets it. */
  'loading.choose': call<null>()(v.strictObject({ modelId: path, choice: v.nullable(loadChoiceSchema) })),
} as const

export const loadingStreams = {
  /** Loads the model in each format, and measures its perplexity on the built-in text and its speed. The loaded model is left. Closing the stream stops it. */
  'loading.measure': stream<MeasureEvent>()(
    v.strictObject({ modelId: path, formats: v.pipe(v.array(v.picklist(weightFormats)), v.minLength(1), v.maxLength(8)), formatOverrides }),
  ),
} as const

// The messages between the app and its engine process: requests with an id, events, one answer each, and a cancel.
import type { KernelSpeeds } from '../../engine/plan/speed-model'
import type { ChatMessage } from '../../engine/tokenizer/types'
import type {
  ChosenWeightFormat,
  Constraint,
  ContractError,
  DevicePlan,
  FinishReason,
  LoadPreview,
  MatrixFormatOverride,
  ModelEntry,
  PreparedWeights,
  PromptView,
  ReplyStats,
  ReplyToken,
  Sampling,
  TokenizerCode,
} from '../../preload/contract'

/** A model directory and how it is to be loaded. Null and 'auto' mean the engine's own choice. */
export interface LoadParams {
  /** Folder of weights that had to be prepared, shared with the command line. */
  readonly preparedFolder: string
  readonly path: string
  readonly threads: number | null
  readonly contextLength: number | null
  readonly weightFormat: ChosenWeightFormat
  readonly formatOverrides: readonly MatrixFormatOverride[]
  /** Bytes that the prepared files may take together; null: the engine's own limit. */
  readonly preparedMaxBytes: number | null
  /** Hashes of custom tokenizer code that the person agreed to for this folder. */
  readonly trustedCode?: readonly string[]
}

/** What a loaded model turned out to be. */
export interface LoadedModel {
  readonly modelType: string
  readonly contextLength: number
  readonly runtime: 'c-api' | 'node-binding'
  readonly executionProvider: string
  readonly weightFormat: string | null
  readonly threads: number
  readonly loadMs: number
  readonly residentBytes: number
  readonly defaultSampling: Sampling
  readonly chatTemplateSource: string
  readonly templateFallback: string | null
}

/** A model directory as the library shows it, read without loading a weight. */
export type ModelDescription = Pick<
  ModelEntry,
  'sizeBytes' | 'modelType' | 'dtype' | 'parameterCount' | 'contextLength' | 'state' | 'problem' | 'description'
>

/** The beginning of a reply that the model is to go on from. `ids` spell `text` for the model that wrote it. */
export interface ReplyPrefix {
  readonly text: string
  readonly ids: readonly number[]
}

/** What the model got, and the tokens it wrote after the given beginning. */
export interface ReplyRecord {
  readonly prompt: Omit<PromptView, 'asSent'>
  readonly tokens: readonly ReplyToken[]
}

/** A reply's end as the engine sees it; `text` is the whole reply, its given beginning too. */
export interface GenerateOutcome {
  readonly text: string
  readonly finishReason: Exclude<FinishReason, 'error'>
  readonly stats: ReplyStats
  readonly record?: ReplyRecord
}

/** Events of a reply, deltas joined per frame. */
export type GenerateFrame =
  | { readonly type: 'prefill'; readonly doneTokens: number; readonly totalTokens: number }
  | { readonly type: 'delta'; readonly text: string }

/** A device map before it is bound to a library entry and to what was measured. */
type PlanOutcome = Omit<DevicePlan, 'modelId'>

/** A model, and how much of it is to be loaded how. */
interface PlanParams {
  readonly path: string
  readonly contextLength: number | null
  readonly formatOverrides: readonly MatrixFormatOverride[]
  readonly threads: number | null
}

/** What was measured of one format. */
export interface MeasuredFormat {
  readonly perplexity: number
  readonly tokens: number
  readonly tokensPerSecond: number
  readonly residentBytes: number
  /** Version of the built-in text. */
  readonly textVersion: number
}

/** Parameters of a method that takes none. */
type Nothing = Readonly<Record<string, never>>

/** Every method of the engine process: what goes in, what may be reported on the way, what comes out. */
export interface EngineMethods {
  readonly load: {
    readonly params: LoadParams
    readonly event: { readonly stage: string; readonly fraction: number }
    readonly value: LoadedModel
  }
  readonly unload: { readonly params: Nothing; readonly event: never; readonly value: null }
  /** `path` names the model that must be the loaded one ("engine/not-loaded" otherwise). */
  readonly generate: {
    readonly params: {
      readonly path: string
      readonly messages: readonly ChatMessage[]
      readonly sampling: Sampling
      readonly prefix: ReplyPrefix | null
    }
    readonly event: GenerateFrame
    readonly value: GenerateOutcome
  }
  /** Tokens of the prompt that these messages make, the opening of the reply included. */
  readonly countTokens: {
    readonly params: { readonly messages: readonly ChatMessage[] }
    readonly event: never
    readonly value: { readonly usedTokens: number; readonly contextLength: number }
  }
  /** The prompt that these messages make, as tokens. */
  readonly prompt: {
    readonly params: { readonly messages: readonly ChatMessage[] }
    readonly event: never
    readonly value: Omit<PromptView, 'asSent'>
  }
  /** Throws where a reply could not be held to the constraint. */
  readonly checkConstraint: { readonly params: { readonly constraint: Constraint }; readonly event: never; readonly value: null }
  readonly plan: {
    readonly params: PlanParams & { readonly weightFormat: ChosenWeightFormat }
    readonly event: never
    readonly value: PlanOutcome
  }
  /** Every format that the model can be loaded in; speeds are estimates. */
  readonly previewFormats: {
    readonly params: PlanParams & { readonly preparedFolder: string; readonly speeds: KernelSpeeds | null }
    readonly event: never
    /** Perplexities on another version of the built-in text do not count. */
    readonly value: Omit<LoadPreview, 'modelId'> & { readonly textVersion: number }
  }
  /** Measures the speed of this machine's kernels. */
  readonly measureKernels: { readonly params: { readonly threads: number | null }; readonly event: never; readonly value: KernelSpeeds }
  /** Loads the model in a format, measures it on the built-in text and unloads it; the model that was loaded before is left. */
  readonly measureFormat: {
    readonly params: LoadParams
    readonly event: { readonly stage: string; readonly fraction: number }
    readonly value: MeasuredFormat
  }
  readonly describe: { readonly params: { readonly path: string }; readonly event: never; readonly value: ModelDescription }
  readonly listPrepared: { readonly params: { readonly folder: string }; readonly event: never; readonly value: PreparedWeights }
  /** `name` is the file to remove, null for all. */
  readonly clearPrepared: {
    readonly params: { readonly folder: string; readonly name: string | null }
    readonly event: never
    readonly value: { readonly freedBytes: number }
  }
  readonly tokenizerCode: { readonly params: { readonly path: string }; readonly event: never; readonly value: TokenizerCode | null }
  readonly memory: { readonly params: Nothing; readonly event: never; readonly value: { readonly residentBytes: number } }
}

/** Methods of a child process by name, each with what goes in, what may be reported on the way and what comes out. */
export type MethodTable<T> = { readonly [M in keyof T]: { readonly params: unknown; readonly event: unknown; readonly value: unknown } }

/** Name of an engine method. */
export type EngineMethod = keyof EngineMethods

/** One request of one method. Both ends are ours and hold to the same table of methods. */
interface EngineRequest {
  readonly kind: 'request'
  readonly id: number
  readonly method: string
  readonly params: unknown
}

/** App to engine process. */
export type ToEngine = EngineRequest | { readonly kind: 'cancel'; readonly id: number }

/** Engine process to app. `hello` comes once, when it takes requests. */
export type FromEngine =
  | { readonly kind: 'hello' }
  | { readonly kind: 'event'; readonly id: number; readonly event: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ContractError }

/** True for a message of the engine process; the process is ours, so its payloads are trusted once the frame is right. */
export function isFromEngine(message: unknown): message is FromEngine {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return false
  if (message.kind === 'hello') return true
  return (
    'id' in message && typeof message.id === 'number' && (message.kind === 'event' || message.kind === 'done' || message.kind === 'failed')
  )
}

/** True for a message of the app. */
export function isToEngine(message: unknown): message is ToEngine {
  return typeof message === 'object' && message !== null && 'kind' in message && (message.kind === 'request' || message.kind === 'cancel')
}

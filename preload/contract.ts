// THE contract between the app's services and every window: each call and stream with its input schema, output type and events.
// Imports nothing but its parts and its schema library, so that preload, renderer, hosts and tests can all hold on to it.
import * as v from 'valibot'
import { constraintSchema, samplingSchema, type Sampling } from './contract-sampling'
import type { PromptView, ReplyToken } from './contract-tokens'
import { call, id, integer, nothing, path, stream, text } from './contract-entries'
import type { ContractError, Result } from './contract-entries'
import { loadChoiceSchema, loadingCalls, loadingStreams, weightFormats, type PredictedMemory } from './contract-loading'
import { workbenchCalls, workbenchStreams } from './contract-workbench'

export type { ContractError, Remark, Result } from './contract-entries'
export type * from './contract-conversions'
export type * from './contract-loading'
export type * from './contract-workbench'
export { conversionOrderSchema } from './contract-conversions'

// ---- values -------------------------------------------------------------------------------------------------------------

export interface AppInfo {
  readonly version: string
  readonly host: 'electron' | 'web'
  readonly platform: string
  /** What this host can do natively. */
  readonly can: {
    readonly chooseFolder: boolean
    readonly openExternal: boolean
    readonly dropPaths: boolean
    /** Shows a folder in the system's file manager. */
    readonly showFolder: boolean
  }
  /** Folder of the database and caches, for display. */
  readonly dataFolder: string
}

/** A message longer than this is refused: no context window of today takes it. */
const MAX_MESSAGE_CHARS = 1_000_000

export const settingsSchema = v.object({
  theme: v.picklist(['system', 'light', 'dark']),
  language: v.picklist(['system', 'en', 'zh-TW', 'zh-CN']),
  /** Model loaded at start; null = the built-in one. */
  defaultModelId: v.nullable(text(4096)),
  systemPrompt: text(100_000),
  /** null = the model's own generation_config. */
  sampling: v.nullable(samplingSchema),
  /** null = automatic. */
  threads: v.nullable(integer(1, 256)),
  contextLength: v.nullable(integer(16, 1_048_576)),
  weightFormat: v.picklist(weightFormats),
  /** How single models are loaded, where it is not as above. */
  modelLoads: v.pipe(v.array(v.strictObject({ modelId: path, choice: loadChoiceSchema })), v.maxLength(10_000)),
  /** Bytes that prepared weights may take together; null = the engine's own limit. */
  preparedMaxBytes: v.nullable(integer(0, 2 ** 50)),
  /** Models whose own Python tokenizer may run in the sandbox: this code, in this folder (of one revision). */
  trustedTokenizers: v.pipe(v.array(v.strictObject({ folder: path, className: text(500), hash: text(64) })), v.maxLength(10_000)),
})
export { samplingSchema } from './contract-sampling'
export type { Constraint, Sampling } from './contract-sampling'
export type { PromptToken, PromptView, ReplyToken, TokenChoice } from './contract-tokens'
export type Settings = v.InferOutput<typeof settingsSchema>

/** A tokenizer written in Python; `hash` stands for the class and all files. */
export interface TokenizerCode {
  readonly folder: string
  readonly className: string
  readonly hash: string
  readonly sources: readonly { readonly name: string; readonly text: string; readonly sha256: string }[]
}

/** Where a model of the library lies and whether it can run. */
export interface ModelEntry {
  /** Stable: 'guide' or the real path of the model directory. */
  readonly id: string
  readonly name: string
  readonly source: 'built-in' | 'folder' | 'hf-cache'
  readonly path: string
  /** Bytes of the weight files. */
  readonly sizeBytes: number
  readonly modelType: string | null
  readonly dtype: string | null
  readonly parameterCount: number | null
  readonly contextLength: number | null
  /** 'ready' = complete and of a supported family; otherwise `problem` says why. */
  readonly state: 'ready' | 'unsupported' | 'incomplete' | 'broken'
  readonly problem: ContractError | null
  readonly description: string | null
}

/** The engine process and the model it holds. */
export type EngineState =
  | { readonly status: 'starting' }
  | { readonly status: 'idle' }
  | { readonly status: 'loading'; readonly modelId: string; readonly stage: string; readonly fraction: number }
  | { readonly status: 'ready'; readonly model: LoadedModelInfo }
  | { readonly status: 'failed'; readonly modelId: string; readonly error: ContractError }
  /** The process died; `modelId` is the model that was loaded and can be loaded again with engine.load. */
  | { readonly status: 'crashed'; readonly modelId: string | null; readonly error: ContractError }

export interface LoadedModelInfo {
  readonly modelId: string
  readonly name: string
  readonly modelType: string
  readonly contextLength: number
  readonly runtime: 'c-api' | 'node-binding'
  readonly executionProvider: string
  /** How the weights are held: f32, q8, quality, stored ... Null for exported models, which bring their own. */
  readonly weightFormat: string | null
  readonly threads: number
  readonly loadMs: number
  /** Resident memory of the engine process after loading. */
  readonly residentBytes: number
  /** The author's defaults, filled up with ours; what "reset" returns to. */
  readonly defaultSampling: Sampling
  /** Where the chat template came from, for display. */
  readonly chatTemplateSource: string
  /** The family whose built-in template is used because the model brings none, or null. */
  readonly templateFallback: string | null
}

/** One block of the strip: a layer, or the embedding / head beside them. */
export interface PlanStage {
  readonly kind: 'embedding' | 'layer' | 'head'
  /** Layer number, or null. */
  readonly index: number | null
  readonly device: string
  readonly weightBytes: number
  /** True when the head shares the embedding's weights. */
  readonly tied: boolean
}

/** A device map with memory per device, predicted and (when the model is loaded) measured. Bytes throughout. */
export interface DevicePlan {
  readonly modelId: string
  readonly contextLength: number
  readonly weightDtype: string
  /** What the matrices are computed with; null for exported models, which bring their own. */
  readonly format: string | null
  /** Size of the prepared file, 0 where weights are used as they lie in their files, and the predicted peak of a load that makes it first. */
  readonly preparedBytes: number
  readonly preparingBytes: number
  readonly stages: readonly PlanStage[]
  readonly devices: readonly {
    readonly id: string
    readonly kind: 'cpu'
    readonly name: string
    readonly totalBytes: number
    readonly freeBytes: number
    readonly predicted: PredictedMemory
    /** Resident bytes of the engine process, null while another model or none is loaded. */
    readonly measuredBytes: number | null
  }[]
  readonly fits: boolean
}

export interface ReplyStats {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly completionTokens: number
  readonly ttftMs: number
  readonly tokensPerSecond: number
  readonly totalMs: number
  readonly seed: number
}

export type FinishReason = 'stop' | 'stop-string' | 'length' | 'context' | 'cancelled' | 'error'

/** One message of the shown branch. Siblings are the alternatives at the same place (regenerated replies, edited questions). */
export interface Message {
  readonly id: string
  readonly chatId: string
  readonly parentId: string | null
  readonly role: 'user' | 'assistant'
  readonly content: string
  readonly createdAtMs: number
  /** 'interrupted' = the app or the engine ended while it was being written. */
  readonly status: 'streaming' | 'complete' | 'interrupted'
  readonly finishReason: FinishReason | null
  readonly stats: ReplyStats | null
  readonly error: ContractError | null
  readonly modelName: string | null
  /** Whether "chats.tokens" and "chats.prompt" have what the model saw and offered. */
  readonly hasTokens?: boolean
  /** Ids of all alternatives in order of creation, this message included. */
  readonly siblingIds: readonly string[]
}

export interface ChatSummary {
  readonly id: string
  readonly title: string
  readonly updatedAtMs: number
  readonly messageCount: number
  /** Where the search hit, with the match between U+2068 and U+2069; null without a query or when the title matched. */
  readonly snippet: string | null
}

export interface Chat {
  readonly id: string
  readonly title: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** null = the settings' system prompt. */
  readonly systemPrompt: string | null
  /** null = the settings' or the model's sampling. */
  readonly sampling: Sampling | null
  /** The shown branch from the first message to its leaf. */
  readonly messages: readonly Message[]
}

export type ReplyEvent =
  | { readonly type: 'question'; readonly message: Message }
  | { readonly type: 'started'; readonly message: Message }
  | { readonly type: 'prefill'; readonly doneTokens: number; readonly totalTokens: number }
  | { readonly type: 'delta'; readonly messageId: string; readonly text: string }
  /** The reply as stored; also sent when it ended by an error or a stop. */
  | { readonly type: 'finished'; readonly message: Message }

/** Weights that were quantized or computed for loading, kept so that the next load is quick. */
export interface PreparedWeights {
  /** Complete files, the latest used first. */
  readonly files: readonly {
    readonly name: string
    readonly model: string
    /** The weight format, with the overrides of single matrices behind it. */
    readonly format: string
    readonly sizeBytes: number
    readonly lastUsedMs: number
  }[]
  /** Bytes of all of them, unfinished ones included. */
  readonly totalBytes: number
}

/** How full the context window is for a chat and a draft. */
export interface ContextUse {
  readonly usedTokens: number
  readonly contextLength: number
}

/** What a dropped or chosen path is. */
export interface PathReport {
  readonly path: string
  readonly model: ModelEntry | null
  /** Why it is no model directory, when `model` is null. */
  readonly problem: ContractError | null
}

// ---- entries ------------------------------------------------------------------------------------------------------------

export const calls = {
  'app.info': call<AppInfo>()(nothing),
  /** Opens an http(s) or mailto link outside the app; anything else is refused with "app/link-refused". */
  'app.openExternal': call<null>()(v.strictObject({ url: text(8192) })),
  /** Native folder chooser; null when the person cancelled; "app/unsupported" where the host has none. */
  'app.chooseFolder': call<string | null>()(nothing),
  'settings.get': call<Settings>()(nothing),
  'settings.set': call<Settings>()(v.strictObject({ change: v.partial(settingsSchema) })),
  'library.list': call<readonly ModelEntry[]>()(nothing),
  /** Adds a model directory, or a folder of model directories, in place; returns the whole list. */
  'library.addFolder': call<readonly ModelEntry[]>()(v.strictObject({ path })),
  /** Forgets a folder; no file is touched. */
  'library.removeFolder': call<readonly ModelEntry[]>()(v.strictObject({ path })),
  'library.inspectPath': call<PathReport>()(v.strictObject({ path })),
  'engine.load': call<LoadedModelInfo>()(v.strictObject({ modelId: path })),
  'engine.unload': call<null>()(nothing),
  'prepared.list': call<PreparedWeights>()(nothing),
  /** Removes the file of this name, or all, except what a process is writing; a loaded model goes on. */
  'prepared.clear': call<{ readonly freedBytes: number }>()(v.strictObject({ name: v.optional(text(64)) })),
  /** The Python files that a model's tokenizer consists of; null where it needs none. Nothing is run. */
  'engine.tokenizerCode': call<TokenizerCode | null>()(v.strictObject({ modelId: path })),
  /** `weightFormat` absent: the format that the model would be loaded in. */
  'plan.preview': call<DevicePlan>()(
    v.strictObject({
      modelId: path,
      contextLength: v.nullable(integer(16, 1_048_576)),
      weightFormat: v.optional(v.picklist(weightFormats)),
    }),
  ),
  /** Newest first; with a query full-text search over titles and messages. */
  'chats.list': call<readonly ChatSummary[]>()(v.strictObject({ query: text(1000) })),
  'chats.create': call<Chat>()(nothing),
  'chats.get': call<Chat>()(v.strictObject({ chatId: id })),
  'chats.rename': call<null>()(v.strictObject({ chatId: id, title: text(500) })),
  /** Moves to the trash; chats.restore takes it back. The trash is emptied after 30 days. */
  'chats.delete': call<null>()(v.strictObject({ chatId: id })),
  'chats.restore': call<null>()(v.strictObject({ chatId: id })),
  'chats.configure': call<Chat>()(
    v.strictObject({ chatId: id, systemPrompt: v.nullable(text(100_000)), sampling: v.nullable(samplingSchema) }),
  ),
  /** Shows the branch through this message. */
  'chats.selectBranch': call<Chat>()(v.strictObject({ chatId: id, messageId: id })),
  /** Ends the running reply of a chat; its stream then finishes with reason 'cancelled' and the text so far. */
  'chats.stop': call<null>()(v.strictObject({ chatId: id })),
  /** The tokens of a reply with their alternatives; null where none were kept. */
  'chats.tokens': call<readonly ReplyToken[] | null>()(v.strictObject({ chatId: id, messageId: id })),
  /** What the model got for a reply, or would get for the draft when `messageId` is null. */
  'chats.prompt': call<PromptView>()(v.strictObject({ chatId: v.nullable(id), messageId: v.nullable(id), draft: text(MAX_MESSAGE_CHARS) })),
  /** Whether a reply could be held to this; the failure says why not. */
  'engine.checkConstraint': call<null>()(v.strictObject({ constraint: constraintSchema })),
  'chats.contextUse': call<ContextUse>()(v.strictObject({ chatId: v.nullable(id), draft: text(MAX_MESSAGE_CHARS) })),
  ...loadingCalls,
  ...workbenchCalls,
} as const

export const streams = {
  /** The state now, then every change. */
  'engine.watch': stream<EngineState>()(nothing),
  ...loadingStreams,
  ...workbenchStreams,
  /** Asks for a reply and stores it as it streams. Closing the stream stops the reply. */
  'chats.reply': stream<ReplyEvent>()(
    v.strictObject({
      chatId: id,
      action: v.variant('kind', [
        v.strictObject({ kind: v.literal('send'), content: v.pipe(text(MAX_MESSAGE_CHARS), v.minLength(1)) }),
        /** A new sibling of the assistant message. */
        v.strictObject({ kind: v.literal('regenerate'), messageId: id }),
        /** Goes on where the reply ended; the message itself grows. */
        v.strictObject({ kind: v.literal('continue'), messageId: id }),
        /** A new sibling that begins as the reply did up to a token, with one of its alternatives in its place. */
        v.strictObject({ kind: v.literal('branch'), messageId: id, token: integer(0, 1_000_000), alternative: integer(0, 100) }),
        /** A new sibling of the user message, and a reply to it. */
        v.strictObject({ kind: v.literal('edit'), messageId: id, content: v.pipe(text(MAX_MESSAGE_CHARS), v.minLength(1)) }),
      ]),
    }),
  ),
} as const

export type CallName = keyof typeof calls
export type StreamName = keyof typeof streams
export type CallInput<N extends CallName> = v.InferInput<(typeof calls)[N]['input']>
export type CallOutput<N extends CallName> = NonNullable<(typeof calls)[N]['output']> | Extract<(typeof calls)[N]['output'], null>
export type StreamInput<N extends StreamName> = v.InferInput<(typeof streams)[N]['input']>
export type StreamEvent<N extends StreamName> = NonNullable<(typeof streams)[N]['event']>

/** What a host puts at `window.weightroom`: one function per entry. A stream's function returns its closer; `end` is called once, also after closing. */
export interface Bridge {
  readonly calls: { readonly [N in CallName]: (input: CallInput<N>) => Promise<Result<CallOutput<N>>> }
  readonly streams: {
    readonly [N in StreamName]: (
      input: StreamInput<N>,
      sink: { readonly event: (event: StreamEvent<N>) => void; readonly end: (result: Result<null>) => void },
    ) => () => void
  }
  /** Path of a dropped File where the host can know it, otherwise ''. */
  readonly pathForFile: (file: File) => string
}

/** Frames of the web host's socket, both directions, one JSON document each. */
export type ClientFrame =
  | { readonly kind: 'call'; readonly id: number; readonly name: CallName; readonly input: unknown }
  | { readonly kind: 'open'; readonly id: number; readonly name: StreamName; readonly input: unknown }
  | { readonly kind: 'close'; readonly id: number }
export type ServerFrame =
  | { readonly kind: 'result'; readonly id: number; readonly result: Result<unknown> }
  | { readonly kind: 'event'; readonly id: number; readonly event: unknown }
  | { readonly kind: 'end'; readonly id: number; readonly result: Result<null> }

/** IPC channels of the Electron host. */
export const channels = {
  call: 'weightroom:call',
  open: 'weightroom:open',
  close: 'weightroom:close',
  event: 'weightroom:event',
  end: 'weightroom:end',
} as const

// What the chat service needs from the rest of the app; app.ts plugs it together.
import type { ChatMessage } from '../../engine/tokenizer/types'
import type { PromptView, Sampling } from '../../preload/contract'
import type { GenerateFrame, GenerateOutcome, ReplyPrefix } from '../engine/protocol'

/** A model that replies can be asked of. Its failures are service errors. */
export interface ReplyModel {
  readonly name: string
  readonly defaultSampling: Sampling
  /** A stop resolves with finish reason 'cancelled' and the text so far, or rejects with "engine/cancelled" when nothing had begun. */
  readonly generate: (options: {
    readonly messages: readonly ChatMessage[]
    readonly sampling: Sampling
    /** The beginning to go on from; null writes anew. */
    readonly prefix: ReplyPrefix | null
    readonly onFrame: (frame: GenerateFrame) => void
    readonly signal: AbortSignal
  }) => Promise<GenerateOutcome>
}

/** The engine as chats see it. */
export interface ReplyEngine {
  /** Name of the model that will answer, for display before it is loaded. */
  readonly expectedModelName: () => string | null
  /** The loaded model; loads the chosen one first when there is none. */
  readonly model: () => Promise<ReplyModel>
  /** Throws "engine/not-loaded" while no model is loaded. */
  readonly countTokens: (messages: readonly ChatMessage[]) => Promise<{ readonly usedTokens: number; readonly contextLength: number }>
  /** What the model would get. Throws "engine/not-loaded" while no model is loaded. */
  readonly prompt: (messages: readonly ChatMessage[]) => Promise<Omit<PromptView, 'asSent'>>
}

/** The settings that a chat without its own falls back to. */
export interface ChatDefaults {
  readonly systemPrompt: string
  readonly sampling: Sampling | null
}

// A reply engine whose replies are written by the test: pieces of text, then an end, a failure, or a wait for the stop.
import type { ReplyEngine } from '../../../main/chats/ports'
import { serviceError } from '../../../main/service-error'
import type { ChatMessage } from '../../../engine/tokenizer/types'
import type { ReplyStats, Sampling } from '../../../preload/contract'

/** Sampling that the scripted model reports as its author's. */
export const modelSampling: Sampling = {
  temperature: 0.3,
  topK: 20,
  topP: 0.9,
  minP: 0,
  repetitionPenalty: 1,
  seed: null,
  maxNewTokens: null,
  stop: [],
}

/** Stats of every scripted reply. */
export const replyStats: ReplyStats = {
  promptTokens: 5,
  cachedTokens: 2,
  completionTokens: 3,
  ttftMs: 10,
  tokensPerSecond: 30,
  totalMs: 100,
  seed: 7,
}

/** One reply of the script. */
export interface ScriptedReply {
  readonly pieces: readonly string[]
  /** 'stop' ends it, 'wait' goes on until it is stopped, an error fails it. */
  readonly end: 'stop' | 'wait' | Error
  /** Called after the pieces were sent. */
  readonly afterPieces?: () => void | Promise<void>
}

/** The engine and what it was asked. */
export interface ScriptedEngine extends ReplyEngine {
  readonly asked: { readonly messages: readonly ChatMessage[]; readonly sampling: Sampling }[]
}

/** Replies are taken from the script in order; asking for more is a test's fault. */
export function scriptedEngine(script: readonly ScriptedReply[]): ScriptedEngine {
  const asked: ScriptedEngine['asked'] = []
  return {
    asked,
    expectedModelName: () => 'scripted',
    model: () =>
      Promise.resolve({
        name: 'scripted',
        defaultSampling: modelSampling,
        generate: async ({ messages, sampling, onFrame, signal }) => {
          const reply = script[asked.length]
          asked.push({ messages, sampling })
          if (reply === undefined) throw new Error('the script has no further reply')
          onFrame({ type: 'prefill', doneTokens: 0, totalTokens: 5 })
          for (const text of reply.pieces) onFrame({ type: 'delta', text })
          await reply.afterPieces?.()
          const text = reply.pieces.join('')
          if (reply.end instanceof Error) throw reply.end
          if (reply.end === 'stop') return { text, finishReason: 'stop', stats: replyStats }
          await new Promise<void>((resolve) => {
            if (signal.aborted) resolve()
            else signal.addEventListener('abort', () => resolve(), { once: true })
          })
          return { text, finishReason: 'cancelled', stats: replyStats }
        },
      }),
    countTokens: (messages) =>
      Promise.resolve({ usedTokens: messages.reduce((sum, { content }) => sum + content.length, 0), contextLength: 100 }),
  }
}

/** The failure of a reply whose engine process died. */
export function crash(): Error {
  return serviceError('engine/crashed', { reason: 'native-crash', signal: 'SIGSEGV', exitCode: null })
}

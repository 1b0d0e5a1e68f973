// A reply engine whose replies are written by the test: pieces of text, then an end, a failure, or a wait for the stop.
import type { ReplyEngine } from '../../../main/chats/ports'
import { serviceError } from '../../../main/service-error'
import type { ChatMessage } from '../../../engine/tokenizer/types'
import type { ReplyStats, Sampling } from '../../../preload/contract'
import { SAMPLING_OFF } from '../../../preload/contract-sampling-off'
import type { GenerateOutcome, ReplyPrefix } from '../../../main/engine/protocol'

/** Sampling that the scripted model reports as its author's. */
export const modelSampling: Sampling = {
  ...SAMPLING_OFF,
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
  /** What is kept beside the text. */
  readonly record?: GenerateOutcome['record']
  /** Called after the pieces were sent. */
  readonly afterPieces?: () => void | Promise<void>
}

/** The engine and what it was asked. */
export interface ScriptedEngine extends ReplyEngine {
  readonly asked: { readonly messages: readonly ChatMessage[]; readonly sampling: Sampling; readonly prefix: ReplyPrefix | null }[]
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
        generate: async ({ messages, sampling, prefix, onFrame, signal }) => {
          const reply = script[asked.length]
          asked.push({ messages, sampling, prefix })
          if (reply === undefined) throw new Error('the script has no further reply')
          onFrame({ type: 'prefill', doneTokens: 0, totalTokens: 5 })
          for (const text of reply.pieces) onFrame({ type: 'delta', text })
          await reply.afterPieces?.()
          const text = (prefix?.text ?? '') + reply.pieces.join('')
          if (reply.end instanceof Error) throw reply.end
          if (reply.end === 'stop') return { text, finishReason: 'stop', stats: replyStats, ...(reply.record && { record: reply.record }) }
          await new Promise<void>((resolve) => {
            if (signal.aborted) resolve()
            else signal.addEventListener('abort', () => resolve(), { once: true })
          })
          return { text, finishReason: 'cancelled', stats: replyStats }
        },
      }),
    countTokens: (messages) =>
      Promise.resolve({ usedTokens: messages.reduce((sum, { content }) => sum + content.length, 0), contextLength: 100 }),
    prompt: (messages) =>
      Promise.resolve({ text: messages.map(({ content }) => content).join('\n'), tokens: [{ id: 1, text: '<s>', special: true }] }),
  }
}

/** The failure of a reply whose engine process died. */
export function crash(): Error {
  return serviceError('engine/crashed', { reason: 'native-crash', signal: 'SIGSEGV', exitCode: null })
}

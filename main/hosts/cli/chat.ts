// The interactive chat of `weightroom run`: one line is one question; Ctrl-C stops a reply, and leaves where there is none.
import { createInterface } from 'node:readline'
import { generate } from '../../../engine/generate/generate'
import type { LoadedModel } from '../../../engine/generate/load-model'
import type { Sequence } from '../../../engine/generate/sequence'
import type { FinishReason, GenerationStats, SamplingSettings } from '../../../engine/generate/types'
import type { ChatExtras } from '../../../engine/tokenizer/encode-chat'
import type { ChatMessage } from '../../../engine/tokenizer/types'
import { describeFailure } from './describe-failure'
import { writeText, type Terminal } from './terminal'

interface Chat {
  readonly model: LoadedModel
  readonly settings: SamplingSettings
  readonly extras: ChatExtras
  readonly sequence: Sequence
}

const HELP = 'Ctrl-C stops a reply. /clear starts over, /exit leaves.\n'
const PROMPT = '> '

/** Chats until the person leaves. */
export async function runChat(
  options: {
    readonly model: LoadedModel
    readonly settings: SamplingSettings
    readonly extras: ChatExtras
    readonly system: string | undefined
  },
  terminal: Terminal,
): Promise<void> {
  const { model, settings, extras, system } = options
  const { stdin, stdout, stderr } = terminal
  const start: readonly ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }]
  let messages = start
  let stopReply: (() => void) | null = null
  using sequence = model.createSequence()
  const lines = createInterface({ input: stdin, output: stdout, prompt: PROMPT })
  // A line editor takes Ctrl-C away from the process.
  lines.on('SIGINT', () => {
    if (stopReply === null) lines.close()
    else stopReply()
  })
  stderr.write(`${model.name} is ready. ${HELP}`)
  lines.prompt()
  for await (const line of lines) {
    const content = line.trim()
    if (content === '/exit') break
    if (content === '/clear') messages = start
    else if (content === '/help') stderr.write(HELP)
    else if (content !== '') {
      const controller = new AbortController()
      stopReply = () => controller.abort()
      messages = await reply(
        { model, settings, extras, sequence },
        { messages: [...messages, { role: 'user', content }], terminal, signal: controller.signal },
      )
      stopReply = null
    }
    lines.prompt()
  }
  lines.close()
}

/** Streams one reply and returns the conversation with it; a failed one is told and the question forgotten. */
async function reply(
  chat: Chat,
  asked: { readonly messages: readonly ChatMessage[]; readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<readonly ChatMessage[]> {
  const { messages, terminal, signal } = asked
  try {
    for await (const event of generate({ ...chat, promptIds: chat.model.encodeChat(messages, chat.extras), signal })) {
      if (event.type === 'delta') writeText(terminal, event.text)
      if (event.type !== 'finished') continue
      terminal.stdout.write('\n')
      terminal.stderr.write(`${describeEnd(event)}\n`)
      return [...messages, { role: 'assistant', content: event.text }]
    }
  } catch (failure) {
    terminal.stderr.write(`${describeFailure(failure)}\n`)
  }
  return messages.slice(0, -1)
}

const ENDS: Readonly<Record<FinishReason, string>> = {
  stop: '',
  'stop-string': '',
  length: ', cut at the token limit',
  context: ', cut: the context window is full',
  cancelled: ', stopped',
}

function describeEnd({ stats, finishReason }: { readonly stats: GenerationStats; readonly finishReason: FinishReason }): string {
  return `[${stats.completionTokens} tokens, ${stats.tokensPerSecond.toFixed(1)} tokens/s, first after ${stats.ttftMs.toFixed(0)} ms${ENDS[finishReason]}]`
}

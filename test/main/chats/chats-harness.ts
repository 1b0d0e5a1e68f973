// A chat service over a real database in a temporary folder, with a scripted engine.
import { join } from 'node:path'
import { createChatsService } from '../../../main/chats/chats-service'
import type { ChatsService, ReplyAction } from '../../../main/chats/chats-service'
import type { ChatDefaults } from '../../../main/chats/ports'
import type { Message, ReplyEvent } from '../../../preload/contract'
import { temporaryFolder } from '../../support/temporary-folder'
import { recordingLog } from '../support/recording-log'
import type { RecordingLog } from '../support/recording-log'
import { scriptedEngine } from '../support/scripted-engine'
import type { ScriptedEngine, ScriptedReply } from '../support/scripted-engine'
import { steppingClock } from '../support/stepping-clock'

/** What a test holds in its hand. `asyncDispose` closes the service and removes the folder. */
export interface ChatsHarness extends AsyncDisposable {
  readonly path: string
  readonly chats: ChatsService
  readonly engine: ScriptedEngine
  readonly log: RecordingLog
  readonly clock: ReturnType<typeof steppingClock>
  /** Runs a reply to its end. */
  readonly ask: (chatId: string, action: ReplyAction) => Promise<readonly ReplyEvent[]>
}

/** Opens the service; a second one on the same path stands for the next start of the app. */
export function chatsHarness(
  options: { readonly script?: readonly ScriptedReply[]; readonly defaults?: ChatDefaults; readonly clockStartMs?: number } = {},
): ChatsHarness {
  const folder = temporaryFolder()
  const path = join(folder.path, 'chats.db')
  const engine = scriptedEngine(options.script ?? [])
  const log = recordingLog()
  const clock = steppingClock(options.clockStartMs)
  const chats = createChatsService({ path, engine, defaults: () => options.defaults ?? { systemPrompt: '', sampling: null }, clock, log })
  return {
    path,
    chats,
    engine,
    log,
    clock,
    ask: async (chatId, action) => await ask(chats, chatId, action),
    [Symbol.asyncDispose]: async () => {
      await chats.close()
      folder[Symbol.dispose]()
    },
  }
}

/** Runs a reply to its end and returns its events. */
export async function ask(chats: ChatsService, chatId: string, action: ReplyAction): Promise<readonly ReplyEvent[]> {
  const events: ReplyEvent[] = []
  await chats.reply({ chatId, action, emit: (event) => void events.push(event), signal: new AbortController().signal })
  return events
}

/** The message of the finished event. */
export function finished(events: readonly ReplyEvent[]): Message {
  const last = events.at(-1)
  if (last?.type !== 'finished') throw new Error('the reply did not finish')
  return last.message
}

/** What is said in a branch. */
export function contents(messages: readonly Message[]): readonly string[] {
  return messages.map(({ content }) => content)
}

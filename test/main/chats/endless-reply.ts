// A process that answers for ever, a counted word every few milliseconds, and says each word's number; the test kills it.
import { createChatsService } from '../../../main/chats/chats-service'
import { modelSampling } from '../support/scripted-engine'

const WORD_MS = 5
const path = process.argv[2] ?? ''
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

const chats = createChatsService({
  path,
  clock: { now: Date.now },
  log: silent,
  defaults: () => ({ systemPrompt: '', sampling: null }),
  engine: {
    expectedModelName: () => 'endless',
    prompt: () => Promise.reject(new Error('not asked for')),
    countTokens: () => Promise.reject(new Error('not asked for')),
    model: () =>
      Promise.resolve({
        name: 'endless',
        defaultSampling: modelSampling,
        generate: ({ onFrame }) =>
          new Promise(() => {
            let word = 0
            setInterval(() => {
              word += 1
              onFrame({ type: 'delta', text: `${word} ` })
              process.stdout.write(`${word} ${Date.now()}\n`)
            }, WORD_MS)
          }),
      }),
  },
})
const { id } = chats.create()
await chats.reply({ chatId: id, action: { kind: 'send', content: 'count' }, emit: () => undefined, signal: new AbortController().signal })

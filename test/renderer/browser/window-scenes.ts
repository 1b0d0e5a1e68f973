// What the window shows in the browser tests: conversations, models, and an engine in trouble.
import type { Page } from 'playwright-core'
import type { Chat, Message, ModelEntry } from '../../../preload/contract'
import { guideEntry } from '../../support/fake-models'

const stats = { promptTokens: 31, cachedTokens: 12, completionTokens: 87, ttftMs: 184, tokensPerSecond: 43.6, totalMs: 2140, seed: 7 }
const MARKDOWN =
  '# Head\n\nText with `code`, **bold** and a [link](https://example.org).\n\n```js\nlet x = 1 // one\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n> quote\n\n$x^2$'

/** A conversation of so many turns, with everything that Markdown can hold. */
export function chat(id: string, turns: number, more: Partial<Message> = {}): Chat {
  const messages: Message[] = []
  for (let turn = 0; turn < turns; turn += 1) {
    const base = { chatId: id, createdAtMs: 0, status: 'complete', error: null, modelName: null } as const
    const question = `${id}-q${turn}`
    messages.push({
      ...base,
      id: question,
      parentId: messages.at(-1)?.id ?? null,
      role: 'user',
      content: `Question ${turn}`,
      finishReason: null,
      stats: null,
      siblingIds: [question],
    })
    messages.push({
      ...base,
      id: `${id}-a${turn}`,
      parentId: question,
      role: 'assistant',
      content: MARKDOWN,
      finishReason: 'stop',
      stats,
      siblingIds: [`${id}-a${turn}`, 'x'],
      ...more,
    })
  }
  return { id, title: `Chat ${id}`, createdAtMs: 0, updatedAtMs: Date.now(), systemPrompt: null, sampling: null, messages }
}

/** A model in every state. */
export const models: readonly ModelEntry[] = [
  guideEntry,
  { ...guideEntry, id: '/m/tiny', name: 'tiny', path: '/m/tiny', source: 'folder' },
  {
    ...guideEntry,
    id: '/m/half',
    name: 'half',
    path: '/m/half',
    source: 'hf-cache',
    state: 'incomplete',
    problem: { code: 'checkpoint/missing-shard', message: 'A shard is missing.', details: {} },
  },
  {
    ...guideEntry,
    id: '/m/odd',
    name: 'odd',
    path: '/m/odd',
    source: 'folder',
    state: 'unsupported',
    problem: { code: 'config/unknown-model-type', message: 'Not supported.', details: {} },
  },
  {
    ...guideEntry,
    id: '/m/bad',
    name: 'bad',
    path: '/m/bad',
    source: 'folder',
    state: 'broken',
    problem: { code: 'checkpoint/truncated-file', message: 'Cut off.', details: {} },
  },
]
/** Why a model with a tokenizer in Python did not load. */
export const needsConsent = {
  code: 'tokenizer/custom-code-needs-consent',
  message: 'The model brings a tokenizer of its own.',
  details: { directory: '/m/tiny', className: 'tokenization_tiny.TinyTokenizer', files: ['tokenization_tiny.py'], hash: 'a'.repeat(64) },
}
/** That tokenizer's code. */
export const tokenizerCode = {
  folder: '/m/tiny',
  className: 'tokenization_tiny.TinyTokenizer',
  hash: 'a'.repeat(64),
  sources: [
    {
      name: 'tokenization_tiny.py',
      text: 'from transformers import PreTrainedTokenizer\n\n\nclass TinyTokenizer(PreTrainedTokenizer):\n    def _tokenize(self, text):\n        return list(text)\n',
      sha256: 'b'.repeat(64),
    },
  ],
}

/** An engine that was killed. */
export const crash = {
  status: 'crashed',
  modelId: 'guide',
  error: { code: 'engine/crashed', message: 'The engine process was killed.', details: {} },
} as const

/** Opens the first conversation of the list. */
export const openFirst = (page: Page): Promise<void> => page.getByTestId('chat-row').first().getByRole('button').first().click()

// The built-in model's tokenizer and template: a prompt is begin, then role token and text of each message, as it was trained.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadChatTemplate } from '../../../engine/tokenizer/chat-template'
import { encodeChat } from '../../../engine/tokenizer/encode-chat'
import { loadTokenizer } from '../../../engine/tokenizer/load'

const directory = resolve(import.meta.dirname, '../../../resources/guide')

describe.skipIf(!existsSync(resolve(directory, 'tokenizer.model')))('guide', () => {
  it('encodes a conversation as begin, role tokens and texts', async () => {
    const tokenizer = await loadTokenizer(directory)
    const template = await loadChatTemplate(directory, { tokenizer })
    const text = (value: string) => tokenizer.encode(value, { addSpecial: false, parseSpecial: false })
    const role = (name: string) => {
      const ids = tokenizer.encode(`<|${name}|>`, { addSpecial: false, parseSpecial: true })
      expect(ids).toHaveLength(1)
      return ids
    }
    const { ids } = encodeChat({
      tokenizer,
      template,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What is safetensors?' },
        { role: 'assistant', content: 'A file format.' },
        { role: 'user', content: '什么是分片?\n  indented' },
      ],
      addGenerationPrompt: true,
    })
    expect(ids).toEqual([
      tokenizer.bosTokenId,
      ...role('system'),
      ...text(' Be brief.\n'),
      ...role('user'),
      ...text(' What is safetensors?\n'),
      ...role('assistant'),
      ...text('A file format.'),
      tokenizer.eosTokenId,
      ...role('user'),
      ...text(' 什么是分片?\n  indented\n'),
      ...role('assistant'),
    ])
  })
})

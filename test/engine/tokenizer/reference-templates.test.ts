// The 28 public chat templates of the reference data with 6 conversations each: every text equal, every refusal a refusal.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EngineError } from '../../../engine/errors'
import { createChatTemplate } from '../../../engine/tokenizer/chat-template'
import { hasReference, referencePath } from '../../support/reference'

interface Row {
  readonly template: string
  readonly chat: string
  readonly rendered?: string
  readonly error?: string
}

interface Expected {
  readonly chats: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly rows: readonly Row[]
}

function isExpected(value: unknown): value is Expected {
  return typeof value === 'object' && value !== null && 'chats' in value && 'rows' in value && Array.isArray(value.rows)
}

describe.skipIf(!hasReference)('reference templates', () => {
  it('render or refuse as jinja2 does in all 168 cases', () => {
    const expected: unknown = JSON.parse(readFileSync(referencePath('templates', 'expected.json'), 'utf8'))
    if (!isExpected(expected)) throw new Error('expected.json has another shape')
    expect(expected.rows).toHaveLength(168)
    for (const row of expected.rows) {
      const text = readFileSync(referencePath('templates', row.template), 'utf8')
      const options = { specialTokens: { bos_token: '<s>', eos_token: '</s>' }, strftimeNow: () => '26 Jul 2024' }
      const template = createChatTemplate({ text, source: row.template }, options)
      const label = `${row.template} ${row.chat}`
      const render = () => template.render(expected.chats[row.chat] ?? {})
      if (row.rendered === undefined) expect(render, label).toThrow(EngineError)
      else expect(render(), label).toBe(row.rendered)
    }
  })
})

// What Python's jinja2 3.1.6 makes of small templates, set up as Transformers 5.18 does. The cases come from test/fixtures/make_jinja_cases.py.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EngineError } from '../../../../engine/errors'
import { createChatTemplate } from '../../../../engine/tokenizer/chat-template'

type Case = readonly [kind: string, template: string, text: string | null]

function isCase(value: unknown): value is Case {
  return Array.isArray(value) && value.length === 3 && typeof value[0] === 'string' && typeof value[1] === 'string'
}

const file = readFileSync(join(import.meta.dirname, '../../../fixtures/jinja-cases.json'), 'utf8')
const parsed: unknown = JSON.parse(file)
const cases: unknown = typeof parsed === 'object' && parsed !== null && 'cases' in parsed ? parsed.cases : []
const rows = Array.isArray(cases) ? cases.filter(isCase) : []
// As text: JSON.parse would make 2.0 the whole number 2.
const context = /"context": (\{.*\}),\n/.exec(file)?.[1] ?? ''

/** The text, or null where the template refuses. */
function outcome(text: string): string | null {
  try {
    return createChatTemplate({ text, source: 'case' }, { specialTokens: {} }).render(context)
  } catch (error) {
    if (error instanceof EngineError) return null
    throw error
  }
}

describe('a template and Python', () => {
  it('has cases of every kind', () => {
    expect(rows.length).toBeGreaterThan(800)
  })

  it.each([...new Set(rows.map(([kind]) => kind))])('agree on each %s', (wanted) => {
    const differing = rows.filter(([kind, template, text]) => kind === wanted && outcome(template) !== text)
    expect(differing.map(([, template, text]) => ({ template, python: text, here: outcome(template) }))).toEqual([])
  })
})

// Prompts that end inside the last message, as `continue_final_message` of Transformers 5.18 (render_jinja_template) cuts them.
import { describe, expect, it } from 'vitest'
import { EngineError } from '../../../../engine/errors'
import { createChatTemplate } from '../../../../engine/tokenizer/chat-template'

const TEMPLATES = {
  plain: '{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}',
  trim: '{% for m in messages %}<{{ m.role }}>{{ m.content|trim }}</>{% endfor %}',
  parts: '{% for m in messages %}<{{ m.role }}>{% for p in m.content %}{{ p.text }}{% endfor %}</>{% endfor %}',
  think: '{% for m in messages %}<{{ m.role }}>{{ m.reasoning }}|{{ m.content }}</>{% endfor %}',
  drops: "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}",
}

const text = (value: string) => ({ type: 'text', text: value })
const hi = { role: 'user', content: 'Hi' }
const trailing = [hi, { role: 'assistant', content: 'Once upon ' }]
const leading = [hi, { role: 'assistant', content: ' Once' }]
const parts = [
  { role: 'user', content: [text('Hi')] },
  { role: 'assistant', content: [text('One'), text(' two '), { type: 'image' }] },
]

function render(template: keyof typeof TEMPLATES, messages: readonly unknown[], more: Readonly<Record<string, unknown>> = {}): string {
  const variables = { messages, continue_final_message: true, ...more }
  return createChatTemplate({ text: TEMPLATES[template], source: template }, { specialTokens: {} }).render(variables)
}

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof EngineError) return error.code
    throw error
  }
  return 'nothing was thrown'
}

describe('a message that goes on', () => {
  it.each([
    ['plain', trailing, '<user>Hi</><assistant>Once upon '],
    ['plain', leading, '<user>Hi</><assistant> Once'],
    ['trim', trailing, '<user>Hi</><assistant>Once upon'],
    ['trim', leading, '<user>Hi</><assistant>Once'],
    ['parts', parts, '<user>Hi</><assistant>One two '],
    [
      'plain',
      parts,
      "<user>[{'type': 'text', 'text': 'Hi'}]</><assistant>[{'type': 'text', 'text': 'One'}, {'type': 'text', 'text': ' two ",
    ],
  ] as const)('is cut behind its text by the template %s', (template, messages, prompt) => {
    expect(render(template, messages)).toBe(prompt)
  })

  it('may go on in another field', () => {
    const messages = [hi, { role: 'assistant', reasoning: 'hm', content: 'x' }]
    expect(render('think', messages, { continue_final_message: 'reasoning' })).toBe('<user>|Hi</><assistant>hm')
  })

  it('changes nothing where it is not asked for', () => {
    expect(render('plain', leading, { continue_final_message: false })).toBe('<user>Hi</><assistant> Once</>')
  })

  it('is refused where the template drops it, where it has no text, and beside a new message', () => {
    const code = 'template/cannot-continue'
    expect(codeOf(() => render('drops', trailing))).toBe(code)
    expect(codeOf(() => render('plain', [hi, { role: 'assistant', content: null }]))).toBe(code)
    expect(codeOf(() => render('plain', trailing, { add_generation_prompt: true }))).toBe(code)
    expect(codeOf(() => render('plain', []))).toBe(code)
  })
})

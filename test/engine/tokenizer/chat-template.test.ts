// Chat templates: where they are found, what they may do, and how they fail.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EngineError } from '../../../engine/errors'
import { createChatTemplate, loadChatTemplate } from '../../../engine/tokenizer/chat-template'
import { encodeChat } from '../../../engine/tokenizer/encode-chat'
import { MAX_TEXT_CHARACTERS } from '../../../engine/tokenizer/jinja/budget'
import { MAX_TEMPLATE_CHARACTERS } from '../../../engine/tokenizer/jinja/compile'
import { MAX_RANGE } from '../../../engine/tokenizer/jinja/globals'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import type { ChatTemplate } from '../../../engine/tokenizer/types'
import { fixturePath } from './golden'

let folder = ''
let count = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'template-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A model directory with the tiny vocabulary and these files. */
function modelDirectory(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(folder, `${count++}-`))
  copyFileSync(fixturePath('tiny.model'), join(directory, 'tokenizer.model'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

async function load(files: Readonly<Record<string, string>>): Promise<ChatTemplate> {
  const directory = modelDirectory(files)
  return await loadChatTemplate(directory, { tokenizer: await loadTokenizer(directory) })
}

function template(text: string): ChatTemplate {
  return createChatTemplate({ text, source: 'test' }, { specialTokens: { bos_token: '<s>' }, strftimeNow: (format) => `[${format}]` })
}

function render(text: string, variables: Readonly<Record<string, unknown>> = {}): string {
  return template(text).render(variables)
}

function failure(run: () => unknown): { code: string; details: unknown } {
  try {
    run()
  } catch (error) {
    if (error instanceof EngineError) return { code: error.code, details: error.details }
    throw error
  }
  throw new Error('it did not fail')
}

const config = (template: unknown, rest: Readonly<Record<string, unknown>> = {}) => JSON.stringify({ ...rest, chat_template: template })

describe('loadChatTemplate', () => {
  it('takes the file chat_template.jinja before the configuration', async () => {
    const found = await load({ 'chat_template.jinja': 'file {{ bos_token }}', 'tokenizer_config.json': config('config') })
    expect([found.source, found.render({})]).toEqual(['chat_template.jinja', 'file <s>'])
  })

  it('takes the key of tokenizer_config.json', async () => {
    const found = await load({
      'tokenizer_config.json': config('{{ bos_token }}{{ eos_token }}', { bos_token: '[b]', eos_token: { content: '[e]' } }),
    })
    expect([found.source, found.render({})]).toEqual(['tokenizer_config.json', '[b][e]'])
  })

  it('chooses tool_use for conversations with tools, and default for the others', async () => {
    const list = [
      { name: 'default', template: 'general' },
      { name: 'tool_use', template: 'tools' },
      { name: 'rag', template: '{% if %}' },
    ]
    const found = await load({ 'tokenizer_config.json': config(list) })
    expect([found.render({}), found.render({ tools: null }), found.render({ tools: [{}] })]).toEqual(['general', 'general', 'tools'])
  })

  it.each(['additional_chat_templates', 'chat_templates'])('reads further templates from the folder %s', async (name) => {
    const found = await load({
      'chat_template.jinja': 'general',
      [`${name}/tool_use.jinja`]: 'tools',
      'tokenizer_config.json': config('config'),
    })
    expect([found.render({}), found.render({ tools: [{}] }), found.names]).toEqual(['general', 'tools', ['default', 'tool_use']])
  })

  it('takes the templates of the folder before the configuration, even without a default', async () => {
    const found = await load({ 'additional_chat_templates/tool_use.jinja': 'tools', 'tokenizer_config.json': config('config') })
    expect(found.render('{"tools": []}')).toBe('tools')
    expect(failure(() => found.render({})).code).toBe('template/no-default')
  })

  it('takes chat_template.json of a processor last', async () => {
    const files = { 'chat_template.json': JSON.stringify({ chat_template: 'processor' }) }
    expect((await load(files)).source).toBe('chat_template.json')
    expect((await load({ ...files, 'tokenizer_config.json': config('config') })).source).toBe('tokenizer_config.json')
  })

  it('takes the template that is asked for by name', async () => {
    const list = [
      { name: 'default', template: '{% if %}' },
      { name: 'rag', template: 'rag {{ documents }}' },
    ]
    const directory = modelDirectory({ 'tokenizer_config.json': config(list) })
    const tokenizer = await loadTokenizer(directory)
    expect((await loadChatTemplate(directory, { tokenizer, name: 'rag' })).render({ documents: [1] })).toBe('rag [1]')
    await expect(loadChatTemplate(directory, { tokenizer, name: 'tool_use' })).rejects.toMatchObject({
      code: 'template/unknown-name',
      details: { names: ['default', 'rag'] },
    })
  })

  it("says whether the template is the model's own", async () => {
    expect([(await load({})).fallbackFamily, (await load({ 'chat_template.jinja': 'x' })).fallbackFamily]).toEqual(['Llama 2', null])
  })

  it('refuses named templates without a default', async () => {
    await expect(load({ 'tokenizer_config.json': config([{ name: 'rag', template: '' }]) })).rejects.toMatchObject({
      code: 'template/no-default',
      details: { names: ['rag'] },
    })
  })

  it.each([[7], [[]], [[{ name: 'default' }]], [{ default: '' }]])('refuses the configuration %j', async (value) => {
    await expect(load({ 'tokenizer_config.json': config(value) })).rejects.toMatchObject({ code: 'tokenizer/corrupt-config' })
  })

  it('says which family it falls back on', async () => {
    const llama = await load({})
    expect(llama.source).toBe('the built-in Llama 2 template')
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: ' Hi ' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Bye' },
    ]
    expect(llama.render({ messages })).toBe('<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Bye [/INST]')
    const plain = await load({ 'tokenizer_config.json': JSON.stringify({ bos_token: '</s>', tokenizer_class: 'LlamaTokenizer' }) })
    expect([plain.source, plain.stopStrings]).toEqual(['the built-in plain template', ['\nUser:']])
    expect(plain.render({ messages, add_generation_prompt: true })).toBe(
      '</s>Be brief.\n\nUser:  Hi \nAssistant: Hello\nUser: Bye\nAssistant:',
    )
    const tokens = (names: string[]) => JSON.stringify({ tokenizer_class: 'LlamaTokenizer', additional_special_tokens: names })
    const chatml = await load({ 'tokenizer_config.json': tokens(['<|im_start|>', '<|im_end|>']) })
    expect(chatml.source).toBe('the built-in ChatML template')
    expect(chatml.render({ messages: messages.slice(3), add_generation_prompt: true })).toBe(
      '<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n',
    )
    const llama3 = await load({ 'tokenizer_config.json': tokens(['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>']) })
    expect(llama3.render({ messages: messages.slice(3), add_generation_prompt: true })).toBe(
      '<s><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    )
  })
})

describe('a template', () => {
  it('says what it refuses, as the person is to read it', () => {
    expect(failure(() => render("{{ raise_exception('roles must alternate') }}"))).toEqual({
      code: 'template/raised',
      details: { source: 'test', message: 'roles must alternate' },
    })
  })

  it('asks for the date as it was injected', () => {
    expect(render("{{ strftime_now('%d %b %Y') }}")).toBe('[%d %b %Y]')
  })

  it('prints values as Python does', () => {
    expect(render('{{ none }} {{ true }} {{ [1, "a", none] }} {{ {"k": 1.5} }} {{ missing }}|{{ ["it\'s", "\\n"] }}')).toBe(
      "None True [1, 'a', None] {'k': 1.5} |[\"it's\", '\\n']",
    )
  })

  it('takes undefined as nothing in loops and filters, and as an error where something is read from it', () => {
    expect(render('{% for x in missing %}{{ x }}{% endfor %}{{ missing | length }}{{ missing | trim }}{{ missing | list | length }}')).toBe(
      '00',
    )
    expect(failure(() => render('{{ missing.field }}')).code).toBe('template/failed')
  })

  it('strips what Python strips', () => {
    expect(render("{{ ' \\n a \\n'.strip('\\n') }}|{{ x.lstrip('\\n') }}|{{ y | trim }}", { x: '\n\n b', y: '\ufeff c \u001c' })).toBe(
      ' \n a |' + ' b|\ufeff c',
    )
  })

  it('removes the newline after a block and the blanks before it', () => {
    expect(render('a\n  {% if true %}\nb\n  {% endif %}\nc\n')).toBe('a\nb\nc')
  })

  it("keeps a variable of the conversation over the model's own", () => {
    expect(render('{{ bos_token }}', { bos_token: '' })).toBe('')
  })
})

describe('a broken template', () => {
  it.each([
    ['an unclosed block', 'a\n{% if x %}\nb\n', 2],
    ['an unknown statement', 'a\nb\n{% frobnicate %}\n{{ x }}', 3],
    ['a bad expression', '{# comment {{ #}\n\n{{ x }}\n{{ a b }}', 4],
    ['a character that is no token', 'a\n{{ x }}\n\n{{ ? }}\n{{ y }}', 4],
    ['an unclosed string', '{{ x }}\n{{ "abc }}\n', 2],
  ])('is refused with its line: %s', (_, text, line) => {
    expect(failure(() => template(text))).toMatchObject({ code: 'template/invalid', details: { source: 'test', line } })
  })
})

describe('the limits of a template', () => {
  const exceeded = { code: 'template/limit-exceeded' }

  it('has no more characters than allowed', () => {
    expect(failure(() => template('a'.repeat(MAX_TEMPLATE_CHARACTERS + 1)))).toMatchObject(exceeded)
  })

  it('makes no huge range', () => {
    expect(failure(() => render('{{ range(30000000) | length }}'))).toMatchObject(exceeded)
    expect(failure(() => render('{{ range(0, 9, 0) | length }}')).code).toBe('template/failed')
    expect(render(`{{ range(${MAX_RANGE}) | length }}`)).toBe(String(MAX_RANGE))
  })

  it('does not double its text for ever', () => {
    const text = "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}"
    expect(failure(() => render(text))).toMatchObject({ ...exceeded, details: { max: MAX_TEXT_CHARACTERS } })
  })

  it('does not loop for ever', () => {
    const text = '{% for i in range(999) %}{% for j in range(999) %}{% if j %}{% endif %}{% endfor %}{% endfor %}'
    const bounded = createChatTemplate({ text, source: 'test' }, { specialTokens: {}, maxSteps: 10_000 })
    expect(failure(() => bounded.render({}))).toMatchObject({ ...exceeded, details: { max: 10_000 } })
  })

  it('calls itself until it is too deep', () => {
    expect(failure(() => render('{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'))).toMatchObject(exceeded)
  })

  it('reaches nothing outside its variables', () => {
    for (const text of [
      "{{ ''.constructor }}",
      '{{ messages.constructor }}',
      '{{ range.constructor }}',
      '{{ messages.__proto__ }}',
      '{{ [].constructor }}',
    ]) {
      expect(render(text, { messages: { a: 1 } })).toBe('')
    }
  })
})

describe('encodeChat', () => {
  it('refuses a conversation without messages', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    const options = { tokenizer, template: template('x'), messages: [], addGenerationPrompt: true }
    expect(failure(() => encodeChat(options)).code).toBe('template/empty-conversation')
  })

  it('defines tools and documents as none, as Transformers does', async () => {
    const tokenizer = await loadTokenizer(fixturePath('tiny.model'))
    const options = { tokenizer, messages: [{ role: 'user', content: 'a' } as const], addGenerationPrompt: false }
    const text = '{{ tools is defined }} {{ tools }} {{ documents }} {{ add_generation_prompt }} {{ enable_thinking }}'
    expect(encodeChat({ ...options, template: template(text), variables: { enable_thinking: false } }).text).toBe(
      'True None None False False',
    )
  })
})

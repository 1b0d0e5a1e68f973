// `render` with named templates, a given time, and a model that brings no template; options of `run` that go into the template.
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixturePath } from '../../engine/tokenizer/golden'
import { weightroom } from './run-command-line'

let folder = ''
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weightroom-templates-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A model's folder with a tokenizer and these templates, and a conversation; arguments of `render` for both. */
async function renderArgs(templates: Readonly<Record<string, string>>, chat: string): Promise<string[]> {
  const directory = join(folder, String(count++))
  await mkdir(join(directory, 'additional_chat_templates'), { recursive: true })
  await copyFile(fixturePath('tiny.model'), join(directory, 'tokenizer.model'))
  for (const [name, text] of Object.entries(templates)) await writeFile(join(directory, name), text)
  await writeFile(join(directory, 'chat.json'), chat)
  return ['render', directory, '--chat', join(directory, 'chat.json')]
}

const chat = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }] })

describe('weightroom render', () => {
  it('takes the template that --template-name names, and tool_use where there are tools', async () => {
    const templates = {
      'chat_template.jinja': 'general',
      'additional_chat_templates/rag.jinja': 'rag',
      'additional_chat_templates/tool_use.jinja': 'tools',
    }
    const args = await renderArgs(templates, chat)
    expect(await weightroom(args)).toMatchObject({ exitCode: 0, stdout: 'general', stderr: '' })
    expect(await weightroom([...args, '--template-name', 'rag'])).toMatchObject({ exitCode: 0, stdout: 'rag' })
    expect(await weightroom([...args, '--template-name', 'none'])).toMatchObject({ exitCode: 1, code: 'template/unknown-name' })
    const withTools = await renderArgs(templates, '{"messages": [], "tools": []}')
    expect(await weightroom(withTools)).toMatchObject({ exitCode: 0, stdout: 'tools' })
  })

  it("writes a given time in the template's own format", async () => {
    const args = await renderArgs({ 'chat_template.jinja': "{{ strftime_now('%A, %-d %B %Y %H:%M') }}" }, chat)
    expect(await weightroom([...args, '--now', '2024-07-26T09:05'])).toMatchObject({ stdout: 'Friday, 26 July 2024 09:05' })
    expect(await weightroom([...args, '--now', '2024-07-26'])).toMatchObject({ stdout: 'Friday, 26 July 2024 00:00' })
    expect(await weightroom([...args, '--now', 'yesterday'])).toMatchObject({ exitCode: 2 })
  })

  it('says on standard error which template stands in for a missing one', async () => {
    const args = await renderArgs({}, chat)
    const { stdout, stderr } = await weightroom([...args, '--json'])
    expect(JSON.parse(stdout)).toEqual({ prompt: '<s>[INST] Hi [/INST]' })
    expect(stderr).toContain('the built-in Llama 2 template')
  })

  it('keeps the numbers of the file as they are written', async () => {
    const args = await renderArgs(
      { 'chat_template.jinja': '{{ a }} {{ b }} {{ c | tojson }}' },
      '{"messages": [], "a": 2.0, "b": 12345678901234567890, "c": 1e16}',
    )
    expect(await weightroom(args)).toMatchObject({ stdout: '2.0 12345678901234567890 1e+16' })
  })

  it('ends the prompt inside the last message where the file asks for it', async () => {
    const template = '{% for m in messages %}<{{ m.content }}>{% endfor %}'
    const args = await renderArgs(
      { 'chat_template.jinja': template },
      '{"messages": [{"role": "assistant", "content": "Once"}], "continue_final_message": true}',
    )
    expect(await weightroom(args)).toMatchObject({ stdout: '<Once' })
  })
})

describe('weightroom run', () => {
  it('refuses a template variable without a name, and tools that are no list', async () => {
    expect(await weightroom(['run', 'guide', 'Hi', '--template-var', '=1'])).toMatchObject({ exitCode: 2 })
    const file = join(folder, 'tools.json')
    await writeFile(file, '{}')
    expect(await weightroom(['run', 'guide', 'Hi', '--tools', file])).toMatchObject({ exitCode: 1, code: 'cli/wrong-shape' })
  })
})

// Commands on the built-in model: one answer, the same one again, stopped, planned, rendered, listed.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { weightroom } from './run-command-line'

interface Answer {
  readonly text: string
  readonly tokens: readonly number[]
  readonly finishReason: string
  readonly stats: {
    readonly promptTokens: number
    readonly completionTokens: number
    readonly ttftMs: number
    readonly tokensPerSecond: number
    readonly seed: number
  }
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weightroom-cli-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(() => vi.unstubAllEnvs())

async function answer(args: readonly string[], options: Parameters<typeof weightroom>[1] = {}): Promise<Answer> {
  const { exitCode, stdout, stderr } = await weightroom(['run', 'guide', ...args, '--json'], options)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return JSON.parse(stdout) as Answer
}

describe('weightroom run guide', () => {
  it('answers once, ends its turn, and says how fast it was', async () => {
    const { text, tokens, finishReason, stats } = await answer(['What is safetensors?'])
    expect(text).toMatch(/safetensors/i)
    expect(finishReason).toBe('stop')
    expect(stats.completionTokens).toBe(tokens.length)
    expect(stats.ttftMs).toBeGreaterThan(0)
    expect(stats.tokensPerSecond).toBeGreaterThan(0)
  })

  it('writes the answer alone to standard output without --json', async () => {
    const { text } = await answer(['What is safetensors?'])
    expect(await weightroom(['run', 'guide', 'What is safetensors?'])).toEqual({ exitCode: 0, stdout: `${text}\n`, stderr: '', code: null })
  })

  it('takes the question from standard input', async () => {
    const piped = await answer([], { stdin: 'What is safetensors?' })
    expect(piped.text).toBe((await answer(['What is safetensors?'])).text)
  })

  it('gives the same tokens through both bindings of ONNX Runtime', async () => {
    const question = ['What is config.json?', '--temperature', '0']
    expect((await answer([...question, '--runtime', 'node-binding'])).tokens).toEqual(
      (await answer([...question, '--runtime', 'c-api'])).tokens,
    )
  })

  it('repeats a sampled answer for its seed', async () => {
    const wild = ['Hello', '--temperature', '3', '--top-k', '0', '--top-p', '1', '--max-tokens', '20']
    const first = await answer(wild)
    expect((await answer([...wild, '--seed', String(first.stats.seed)])).tokens).toEqual(first.tokens)
    expect((await answer([...wild, '--seed', String((first.stats.seed + 1) % 2 ** 32)])).tokens).not.toEqual(first.tokens)
  })

  it('stops at the token limit and at a stop string', async () => {
    expect(await answer(['What is safetensors?', '--max-tokens', '3'])).toMatchObject({ finishReason: 'length', tokens: { length: 3 } })
    const whole = (await answer(['What is safetensors?'])).text
    const stop = whole.slice(10, 16)
    const cut = await answer(['What is safetensors?', '--stop', stop])
    expect(cut).toMatchObject({ finishReason: 'stop-string', stopString: stop, text: whole.slice(0, whole.indexOf(stop)) })
  })

  it('refuses a conversation longer than the context', async () => {
    const outcome = await weightroom(['run', 'guide', 'word '.repeat(40), '--context', '32'])
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '', code: 'runtime/context-overflow' })
  })

  it('keeps the text so far and ends with exit 130 when it is stopped', async () => {
    const controller = new AbortController()
    const wild = ['run', 'guide', 'Hello', '--temperature', '5', '--top-k', '0', '--top-p', '1', '--max-tokens', '300', '--seed', '1']
    const stopped = await weightroom(wild, { signal: controller.signal, onOutput: () => controller.abort() })
    const { stdout: whole } = await weightroom(wild)
    expect(stopped).toMatchObject({ exitCode: 130, stderr: '' })
    expect(stopped.stdout.length).toBeLessThan(whole.length / 2)
    expect(whole.startsWith(stopped.stdout.trimEnd())).toBe(true)
  })

  it('completes a raw prompt without the template', async () => {
    const raw = await answer(['The file config.json', '--raw', '--max-tokens', '4'])
    expect(raw.stats.promptTokens).toBeLessThan((await answer(['The file config.json', '--max-tokens', '4'])).stats.promptTokens)
  })
})

describe('weightroom on the built-in model', () => {
  it('renders the prompt of a chat', async () => {
    const chat = join(folder, 'chat.json')
    await writeFile(chat, JSON.stringify({ messages: [{ role: 'user', content: 'Hi there' }], add_generation_prompt: true }))
    const { exitCode, stdout } = await weightroom(['render', 'guide', '--chat', chat, '--json'])
    expect(exitCode).toBe(0)
    expect((JSON.parse(stdout) as { prompt: string }).prompt).toContain('Hi there')
  })

  it('renders a template file with the variables and the date that it is given', async () => {
    const [chat, template] = [join(folder, 'variables.json'), join(folder, 'own.jinja')]
    await writeFile(chat, JSON.stringify({ messages: [{ role: 'user', content: 'A' }], bos_token: '<b>', mood: 'calm' }))
    await writeFile(template, "{{ bos_token }}{{ mood }} {{ strftime_now('%Y') }} {{ messages[0].content }}")
    expect(await weightroom(['render', template, '--chat', chat, '--date', '26 Jul 2024'])).toMatchObject({
      exitCode: 0,
      stdout: '<b>calm 26 Jul 2024 A',
    })
    await writeFile(template, '{{ oops')
    expect(await weightroom(['render', template, '--chat', chat])).toMatchObject({
      exitCode: 1,
      code: 'template/invalid',
    })
  })

  it('plans its layers on one device with parts that add up', async () => {
    const { stdout } = await weightroom(['plan', 'guide', '--context', '512', '--json'])
    const map = JSON.parse(stdout) as {
      contextLength: number
      stages: { device: string }[]
      devices: { id: string; predicted: Record<string, number> }[]
    }
    expect(map.contextLength).toBe(512)
    expect(new Set(map.stages.map(({ device }) => device))).toEqual(new Set([map.devices[0]?.id]))
    const { totalBytes, ...parts } = map.devices[0]?.predicted ?? {}
    expect(Object.values(parts).reduce((sum, bytes) => sum + bytes, 0)).toBe(totalBytes)
  })

  it('lists it, and finds models of the Hugging Face cache by name', async () => {
    vi.stubEnv('WEIGHTROOM_DATA', join(folder, 'data'))
    vi.stubEnv('HF_HUB_CACHE', join(folder, 'hub'))
    const { exitCode, stdout } = await weightroom(['list', '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'guide', name: 'guide', source: 'built-in', state: 'ready', modelType: 'llama' }])
    expect(await weightroom(['run', 'acme/none', 'hi'])).toMatchObject({
      exitCode: 1,
      code: 'cli/model-not-found',
    })
  })

  it('measures it', async () => {
    const { exitCode, stdout } = await weightroom(['bench', 'guide', '--prompt', '20', '--tokens', '4', '--runs', '2', '--json'])
    expect(exitCode).toBe(0)
    const result = JSON.parse(stdout) as Record<string, number>
    expect(result).toMatchObject({ promptTokens: 20, completionTokens: 4, runs: 2 })
    for (const key of ['loadMs', 'ttftMs', 'prefillTokensPerSecond', 'decodeTokensPerSecond', 'peakMemoryBytes'])
      expect(result[key]).toBeGreaterThan(0)
  })
})

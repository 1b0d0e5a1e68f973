// The command line on models that are no checkpoint with a config.json: exported ONNX graphs and GGUF files.
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { describeModelDirectory } from '../../../engine/inspect/describe-model'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { temporaryFolder } from '../../support/temporary-folder'
import { weightroom } from './run-command-line'

const fixtures = resolve(import.meta.dirname, '../../fixtures')
const models = [
  ['optimum layout', join(fixtures, 'onnx/optimum')],
  ['onnxruntime-genai layout', join(fixtures, 'onnx/genai')],
  ['ONNX file', join(fixtures, 'onnx/optimum/onnx/model_fp16.onnx')],
  ['GGUF file', join(fixtures, 'gguf/llama.gguf')],
] as const

test.each(models)('an %s is ready, planned, and answers', async (_, path) => {
  expect(await describeModelDirectory(path)).toMatchObject({ modelType: 'llama', state: 'ready', error: null })
  const plan = await weightroom(['plan', path, '--json', '--context', '64'])
  expect([plan.exitCode, plan.code]).toEqual([0, null])
  const map: unknown = JSON.parse(plan.stdout)
  expect(map).toMatchObject({
    contextLength: 64,
    fits: true,
    stages: [{ kind: 'embedding' }, { kind: 'layer' }, { kind: 'layer' }, { kind: 'head' }],
  })
  const answer = await weightroom(['run', path, 'ab', '--raw', '--max-tokens', '3', '--temperature', '0', '--json'])
  expect([answer.exitCode, answer.code]).toEqual([0, null])
  expect(JSON.parse(answer.stdout)).toMatchObject({ stats: { promptTokens: expect.any(Number) as number } })
  const tokens = await weightroom(['tokenize', path, '--text', 'ab', '--json'])
  expect(JSON.parse(tokens.stdout)).toMatchObject([{ ids: expect.any(Array) as number[] }])
})

test('the template of a model is found from its ONNX file, and in its GGUF file', async () => {
  using folder = temporaryFolder()
  const chat = folder.write('chat.json', JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], add_generation_prompt: true }))
  const { stdout } = await weightroom(['render', join(fixtures, 'onnx/optimum/onnx/model_q4.onnx'), '--chat', chat])
  expect(stdout.trim()).toBe('u:hi a:')
  const inside = await weightroom(['render', join(fixtures, 'gguf/llama.gguf'), '--chat', chat])
  expect(inside.stdout.trim()).toBe('u:hi A:')
})

test('logits of a GGUF file are written', async () => {
  using folder = temporaryFolder()
  const out = join(folder.path, 'logits.safetensors')
  const { exitCode } = await weightroom(['logits', join(fixtures, 'gguf/gemma3.gguf'), '--ids', '5,6,7', '--greedy', '2', '--out', out])
  expect(exitCode).toBe(0)
  using written = await openCheckpoint(out)
  expect(written.tensors.get('logits')?.shape).toEqual([1, 3, 64])
})

// Decoders exported as ONNX: they run as exported models do, with the logits of the original, and their tensors come back as they were.
import { cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { openModelCheckpoint } from '../../../engine/config/open-model-checkpoint'
import { convert } from '../../../engine/convert/convert'
import { engineCode } from '../../support/engine-code'
import { temporaryFolder } from '../../support/temporary-folder'

const models = join(import.meta.dirname, '../../fixtures/models')

async function modelOf(name: string, scratch: string): Promise<string> {
  const model = join(scratch, 'model')
  await cp(join(models, name), model, { recursive: true, filter: (path) => !path.endsWith('golden.safetensors') })
  return model
}

async function contentOf(path: string): Promise<ReadonlyMap<string, string>> {
  using checkpoint = await openCheckpoint(path)
  const content = new Map<string, string>()
  for (const { name, dtype, shape } of checkpoint.tensors.values())
    content.set(name, `${dtype} [${shape.join()}] ${Buffer.from(await checkpoint.read(name)).toString('base64')}`)
  return content
}

describe('a quantized checkpoint', () => {
  const packed = join(import.meta.dirname, '../../fixtures/quantized')
  it.each(['gptq-desc-act', 'bitsandbytes-nf4', 'mlx-3bit'])(
    'of %s is exported with the values that it stands for, and stays as it is in safetensors',
    async (name) => {
      using scratch = temporaryFolder()
      const [model, same, back] = [join(packed, name), join(scratch.path, 'same'), join(scratch.path, 'back')]
      for (const [to, out] of [
        ['onnx', join(scratch.path, 'out')],
        ['gguf', join(scratch.path, 'model.gguf')],
      ] as const) {
        const { logits } = await convert({ source: model, to, out })
        expect(logits?.sameGreedy).toBe(true)
        expect((logits?.maxAbsError ?? NaN) / (logits?.logitStd ?? NaN)).toBeLessThan(1e-4)
      }
      await convert({ source: join(scratch.path, 'out'), to: 'safetensors', out: back })
      using values = await openCheckpoint(back)
      using packing = await openModelCheckpoint({ directory: model, path: model })
      const tensor = 'model.layers.0.mlp.down_proj.weight'
      expect(values.tensors.get(tensor)).toMatchObject({ dtype: 'F32', shape: [64, 96] })
      expect(Buffer.from(await values.read(tensor)).equals(await packing.read(tensor))).toBe(true)
      await convert({ source: model, to: 'safetensors', out: same })
      expect(await contentOf(same)).toEqual(await contentOf(join(model, 'model.safetensors')))
    },
  )

  it('of GPT-OSS has no form as GGUF yet, and says so', async () => {
    using scratch = temporaryFolder()
    const converting = () => convert({ source: join(packed, 'mxfp4'), to: 'gguf', out: join(scratch.path, 'model.gguf') })
    expect(await engineCode(converting)).toBe('convert/gguf-family')
  })
})

describe('an exported decoder', () => {
  it.each(['f32-one-layer', 'bf16', 'f16-tied', 'odd-heads', 'biases', 'rope-llama3', 'gelu-tanh'])(
    'of %s has the logits of its source, and gives its tensors back',
    async (name) => {
      using scratch = temporaryFolder()
      const model = await modelOf(name, scratch.path)
      const [out, back] = [join(scratch.path, 'out'), join(scratch.path, 'back')]
      const { logits } = await convert({ source: model, to: 'onnx', out })
      expect(logits?.sameGreedy).toBe(true)
      expect((logits?.maxAbsError ?? NaN) / (logits?.logitStd ?? NaN)).toBeLessThan(1e-4)
      await convert({ source: out, to: 'safetensors', out: back })
      expect(await contentOf(back)).toEqual(await contentOf(model))
    },
  )

  it('lies beside what onnxruntime-genai reads', async () => {
    using scratch = temporaryFolder()
    const out = join(scratch.path, 'out')
    await convert({ source: await modelOf('bf16', scratch.path), to: 'onnx', out })
    const names = await readdir(out)
    expect(names).toEqual(expect.arrayContaining(['config.json', 'genai_config.json', 'model.onnx', 'model.onnx.data']))
    const genai = JSON.parse(await readFile(join(out, 'genai_config.json'), 'utf8')) as { readonly model: Record<string, unknown> }
    expect(genai.model).toMatchObject({ type: 'llama', vocab_size: 64, decoder: { filename: 'model.onnx', num_key_value_heads: 1 } })
  })

  it('is refused where the length of the text changes the rotation, and as a single file', async () => {
    using scratch = temporaryFolder()
    const model = await modelOf('rope-dynamic', scratch.path)
    const attempt = (out: string) => engineCode(() => convert({ source: model, to: 'onnx', out: join(scratch.path, out) }))
    expect(await attempt('out')).toBe('graph/not-exportable')
    expect(await attempt('model.onnx')).toBe('convert/onnx-needs-folder')
  })
})

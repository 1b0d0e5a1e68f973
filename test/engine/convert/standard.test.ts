// The standard path: custom state dicts, made by test/fixtures/make_custom.py from real models, give the logits of those models again.
import { cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { convert } from '../../../engine/convert/convert'
import { planConversion } from '../../../engine/convert/plan'
import type { ConversionRequest, FamilyPlan } from '../../../engine/convert/types'
import { describeModelDirectory } from '../../../engine/inspect/describe-model'
import { supportedModelTypes } from '../../../engine/config/families/table'
import { engineCode } from '../../support/engine-code'
import { goldenLogits, logitError } from '../../support/golden-logits'
import { safetensorsFile } from '../../support/safetensors-writer'
import { temporaryFolder } from '../../support/temporary-folder'

const fixtures = join(import.meta.dirname, '../../fixtures/custom')
const MAX_ERROR = 1e-4

/** The case's folder without the golden file, which is a weight file too. */
async function sourceOf(name: string, scratch: string): Promise<string> {
  const source = join(scratch, 'source')
  await cp(join(fixtures, name), source, { recursive: true, filter: (path) => !path.endsWith('golden.safetensors') })
  return source
}

const fieldOf = (plan: FamilyPlan | null, name: string) => plan?.config.find((field) => field.name === name)

const minimind2 = { num_attention_heads: 4, rope_theta: 1e4, rms_norm_eps: 1e-5 }
/** What MiniMind's vocabulary of 6,400 would say. */
const minimind3 = { num_experts_per_tok: 1, rope_theta: 1e6, rms_norm_eps: 1e-6 }

/** `guesses`: fields that neither files nor shapes give; `settings` answers those whose guess is wrong. */
const cases: readonly {
  readonly name: string
  readonly family: string
  readonly layout: string
  readonly prefix: string
  readonly settings?: ConversionRequest['settings']
  readonly tied: boolean
}[] = [
  { name: 'minimind', family: 'llama', layout: 'huggingface', prefix: 'module.model.', tied: true },
  { name: 'minimind-early', family: 'llama', layout: 'meta', prefix: '', tied: true },
  { name: 'meta', family: 'llama', layout: 'meta', prefix: '', tied: false },
  { name: 'nanogpt', family: 'gpt2', layout: 'gpt2', prefix: 'transformer.', tied: true, settings: { bos_token_id: 0, eos_token_id: 0 } },
  { name: 'gpt2', family: 'gpt2', layout: 'gpt2', prefix: '', tied: true, settings: { num_attention_heads: 4 } },
  { name: 'litgpt', family: 'llama', layout: 'litgpt', prefix: 'transformer.', tied: false },
  { name: 'litgpt-grouped', family: 'llama', layout: 'litgpt', prefix: 'transformer.', tied: false },
  { name: 'llama2c', family: 'llama', layout: 'meta', prefix: '', tied: true },
  { name: 'lit-llama', family: 'llama', layout: 'lit-llama', prefix: 'transformer.', tied: false, settings: { num_attention_heads: 4 } },
  { name: 'meta-llama3', family: 'llama', layout: 'meta', prefix: '', tied: false },
  { name: 'litgpt-neox', family: 'gpt_neox', layout: 'litgpt', prefix: 'transformer.', tied: false },
  { name: 'litgpt-neox-grouped', family: 'gpt_neox', layout: 'litgpt', prefix: 'transformer.', tied: false },
  { name: 'minimind-moe', family: 'qwen2_moe', layout: 'huggingface', prefix: 'model.', tied: true, settings: minimind2 },
  { name: 'minimind-moe-early', family: 'qwen2_moe', layout: 'meta', prefix: '', tied: true, settings: minimind2 },
  { name: 'minimind-3-moe', family: 'qwen3_moe', layout: 'huggingface', prefix: 'model.', tied: true, settings: minimind3 },
  { name: 'fused', family: 'llama', layout: 'huggingface', prefix: 'model.', tied: false, settings: { num_attention_heads: 4 } },
]

describe('the standard path', () => {
  it.each(cases)('maps $name onto $family with the logits of the original', async ({ name, family, layout, prefix, settings, tied }) => {
    using scratch = temporaryFolder()
    const out = join(scratch.path, 'out')
    const source = await sourceOf(name, scratch.path)
    const report = await convert({ source, to: 'safetensors', out, family: 'auto', ...(settings && { settings }) })
    expect(report.family).toMatchObject({ modelType: family, layout, prefix, unmapped: [] })
    expect(fieldOf(report.family, 'tie_word_embeddings')?.value).toBe(tied)
    const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as Record<string, unknown>
    expect(config).toMatchObject({ model_type: family, tie_word_embeddings: tied })
    if (supportedModelTypes.includes(family))
      expect(await logitError(out, await goldenLogits(join(fixtures, name, 'golden.safetensors')))).toBeLessThan(MAX_ERROR)
  })

  it('reads heads, rotation and positions of a table beside the weights', async () => {
    using scratch = temporaryFolder()
    const source = await sourceOf('minimind-early', scratch.path)
    const plan = await planConversion({ source, to: 'safetensors', out: join(scratch.path, 'out'), family: 'llama' })
    expect(fieldOf(plan.family, 'head_dim')).toMatchObject({ value: 8, origin: 'shape', reason: { code: 'from-values' } })
    expect(fieldOf(plan.family, 'rope_theta')).toMatchObject({ value: 10_000, origin: 'shape' })
    expect(fieldOf(plan.family, 'max_position_embeddings')).toMatchObject({ value: 64, origin: 'shape' })
    expect(plan.dropped).toContainEqual({ name: '_orig_mod.freqs_cos', why: 'table' })
  })

  it('guesses what nothing says, with the reason, and takes answers instead', async () => {
    using scratch = temporaryFolder()
    const request = {
      source: await sourceOf('minimind', scratch.path),
      to: 'safetensors',
      out: join(scratch.path, 'out'),
      family: 'auto',
    } as const
    const guessed = await planConversion(request)
    expect(fieldOf(guessed.family, 'num_attention_heads')).toMatchObject({ value: 8, origin: 'guess', reason: { code: 'known-model' } })
    expect(fieldOf(guessed.family, 'rope_theta')).toMatchObject({ value: 1e6, origin: 'guess' })
    const answered = await planConversion({ ...request, settings: { rope_theta: 5e5, num_attention_heads: 4, pad_token_id: 0 } })
    expect(fieldOf(answered.family, 'rope_theta')).toMatchObject({ value: 5e5, origin: 'answer' })
    expect(fieldOf(answered.family, 'head_dim')).toMatchObject({ value: 4 })
    expect(fieldOf(answered.family, 'pad_token_id')).toMatchObject({ value: 0, origin: 'answer' })
  })

  it('says onto which families a state dict could be mapped, and leaves its names alone unasked', async () => {
    using scratch = temporaryFolder()
    const source = await sourceOf('fused', scratch.path)
    const plan = await planConversion({ source, to: 'safetensors', out: join(scratch.path, 'out') })
    expect(plan.family).toBeNull()
    expect(plan.candidates.slice(0, 3)).toEqual(['llama', 'mistral', 'phi3'])
    expect(plan.tensors.map(({ name }) => name)).toContain('model.layers.0.self_attn.qkv_proj.weight')
  })

  it('keeps fused projections for a family that has them', async () => {
    using scratch = temporaryFolder()
    const source = await sourceOf('fused', scratch.path)
    const out = join(scratch.path, 'out')
    const report = await convert({ source, to: 'safetensors', out, family: 'phi3', settings: { num_attention_heads: 4 } })
    expect(report.tensors.find(({ name }) => name === 'model.layers.1.self_attn.qkv_proj.weight')?.sourceName).toBe(
      'model.layers.1.self_attn.qkv_proj.weight',
    )
    expect(await readdir(out)).toEqual(['config.json', 'model.safetensors'])
  })

  it('writes a tied head once in every format that can share bytes', async () => {
    using scratch = temporaryFolder()
    const source = await sourceOf('minimind', scratch.path)
    const out = join(scratch.path, 'model.pth')
    await convert({ source, to: 'pth', out, family: 'auto' })
    using written = await openCheckpoint(out)
    const [embedding, head] = [written.tensors.get('model.embed_tokens.weight'), written.tensors.get('lm_head.weight')]
    expect(head).toEqual({ ...embedding, name: 'lm_head.weight' })
  })
})

describe('experts', () => {
  it('are counted by the shapes, and what routing does is asked', async () => {
    using scratch = temporaryFolder()
    const source = await sourceOf('minimind-moe', scratch.path)
    const { family } = await planConversion({ source, to: 'safetensors', out: join(scratch.path, 'out'), family: 'auto' })
    expect(fieldOf(family, 'num_experts')).toMatchObject({ value: 4, origin: 'shape' })
    expect(fieldOf(family, 'moe_intermediate_size')).toMatchObject({ value: 48, origin: 'shape' })
    expect(fieldOf(family, 'shared_expert_intermediate_size')).toMatchObject({ value: 96, origin: 'shape' })
    expect(fieldOf(family, 'num_experts_per_tok')).toMatchObject({ value: 2, origin: 'guess' })
    expect(fieldOf(family, 'norm_topk_prob')).toMatchObject({ value: true, origin: 'guess' })
  })

  it('are chosen as config.json says, unless it says that they are scored otherwise', async () => {
    using scratch = temporaryFolder()
    const source = await sourceOf('minimind-moe', scratch.path)
    const request = { source, to: 'safetensors', out: join(scratch.path, 'out'), family: 'auto' } as const
    scratch.write('source/config.json', JSON.stringify({ model_type: 'minimind', num_experts_per_tok: 3, norm_topk_prob: false }))
    const { family } = await planConversion(request)
    expect(fieldOf(family, 'num_experts_per_tok')).toMatchObject({ value: 3, origin: 'file' })
    expect(fieldOf(family, 'norm_topk_prob')).toMatchObject({ value: false, origin: 'file' })
    scratch.write('source/config.json', JSON.stringify({ model_type: 'minimind', scoring_func: 'sigmoid' }))
    expect(await engineCode(() => planConversion(request))).toBe('convert/config-contradicts')
  })
})

describe('a mapping is refused', () => {
  const tensor = (name: string, shape: readonly number[]) => ({
    name,
    dtype: 'F32' as const,
    shape,
    bytes: new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)),
  })
  const block = (layer: number, names: Readonly<Record<string, readonly number[]>>) =>
    Object.entries(names).map(([name, shape]) => tensor(`model.layers.${layer}.${name}`, shape))
  const sizes = {
    'input_layernorm.weight': [8],
    'self_attn.q_proj.weight': [8, 8],
    'self_attn.k_proj.weight': [4, 8],
    'self_attn.v_proj.weight': [4, 8],
    'self_attn.o_proj.weight': [8, 8],
    'post_attention_layernorm.weight': [8],
    'mlp.gate_proj.weight': [12, 8],
    'mlp.up_proj.weight': [12, 8],
    'mlp.down_proj.weight': [8, 12],
  }
  const body = [tensor('model.embed_tokens.weight', [16, 8]), tensor('model.norm.weight', [8])]
  const attempt = async (tensors: readonly ReturnType<typeof tensor>[], more: Partial<ConversionRequest> = {}) => {
    using scratch = temporaryFolder()
    const source = scratch.write('source/model.safetensors', safetensorsFile(tensors))
    return await engineCode(() => convert({ source, to: 'safetensors', out: join(scratch.path, 'out'), family: 'auto', ...more }))
  }

  it('for names of no known naming', async () => {
    expect(await attempt([tensor('encoder.weight', [2, 2])])).toBe('convert/family-unknown')
  })

  it('for a family that does not exist, or does not fit', async () => {
    const tensors = [...body, ...block(0, sizes)]
    expect(await attempt(tensors, { family: 'lama' })).toBe('convert/family-not-available')
    expect(await attempt(tensors, { family: 'gpt2' })).toBe('convert/family-mismatch')
  })

  it('for missing parts, and for parts that no family has', async () => {
    const { 'self_attn.v_proj.weight': _, ...incomplete } = sizes
    expect(await attempt([...body, ...block(0, sizes), ...block(1, incomplete)])).toBe('convert/family-incomplete')
    expect(await attempt([...body, ...block(0, sizes), tensor('model.adapter.weight', [2])])).toBe('convert/unmapped-tensors')
  })

  it('for layers of different shapes', async () => {
    const wide = { ...sizes, 'mlp.down_proj.weight': [8, 10], 'mlp.up_proj.weight': [10, 8], 'mlp.gate_proj.weight': [10, 8] }
    expect(await attempt([...body, ...block(0, sizes), ...block(1, wide)])).toBe('convert/parts-differ')
  })

  it('for answers that the shapes contradict', async () => {
    const tensors = [...body, ...block(0, sizes)]
    expect(await attempt(tensors, { settings: { num_attention_heads: 3 } })).toBe('convert/config-contradicts')
    expect(await attempt(tensors, { settings: { hidden_size: 9 } })).toBe('convert/config-contradicts')
    expect(await attempt(tensors, { settings: { num_attention_heads: 0 } })).toBe('convert/config-contradicts')
  })

  it('together with options that keep the own names', async () => {
    const tensors = [...body, ...block(0, sizes)]
    expect(await attempt(tensors, { stripPrefix: 'wrappers' })).toBe('convert/options-exclude')
    expect(await attempt(tensors, { include: 'optimizer' })).toBe('convert/options-exclude')
  })
})

describe('the report', () => {
  it('compares the logits of source and result', async () => {
    using scratch = temporaryFolder()
    const source = join(import.meta.dirname, '../../fixtures/models/bf16')
    const model = join(scratch.path, 'model')
    await cp(source, model, { recursive: true, filter: (path) => !path.endsWith('golden.safetensors') })
    const exact = await convert({ source: model, to: 'torch', out: join(scratch.path, 'exact') })
    expect(exact.logits).toMatchObject({ maxAbsError: 0, sameGreedy: true })
    const rounded = await convert({ source: model, to: 'safetensors', out: join(scratch.path, 'rounded'), dtype: 'F16' })
    expect(rounded.logits?.logitStd).toBeGreaterThan(0.1)
  })

  it('takes the tokenizer beside a lone weight file along, and nothing where none is', async () => {
    using scratch = temporaryFolder()
    const source = join(await sourceOf('minimind', scratch.path), 'pretrain_16.pth')
    const request = { source, to: 'safetensors', out: join(scratch.path, 'out'), family: 'auto' } as const
    scratch.write('source/special_tokens_map.json', '{}')
    expect((await planConversion(request)).companions).toEqual([])
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      await cp(join(fixtures, '../onnx/optimum', name), join(scratch.path, 'source', name))
    const { companions } = await planConversion(request)
    expect(companions.map(({ file }) => file)).toEqual(['special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json'])
    const { family: _, ...unmapped } = request
    expect((await planConversion(unmapped)).companions).toEqual([])
    await convert(request)
    expect(await describeModelDirectory(request.out)).toMatchObject({ modelType: 'llama', state: 'ready', error: null })
  })

  it('is silent about logits where the source cannot be run', async () => {
    using scratch = temporaryFolder()
    const source = await sourceOf('meta', scratch.path)
    const report = await convert({ source, to: 'safetensors', out: join(scratch.path, 'out'), family: 'llama' })
    expect(report.logits).toBeNull()
  })
})

describe('a training checkpoint', () => {
  it('gives its optimizer only when asked to', async () => {
    using scratch = temporaryFolder()
    const source = join(await sourceOf('nanogpt', scratch.path), 'ckpt.pt')
    const request = { source, to: 'safetensors', out: join(scratch.path, 'out') } as const
    const names = async (more: Partial<ConversionRequest>) =>
      (await planConversion({ ...request, ...more })).tensors.map(({ name }) => name)
    const model = await names({})
    const both = await names({ include: 'optimizer' })
    expect(model.some((name) => name.startsWith('optimizer.'))).toBe(false)
    expect(both.filter((name) => !model.includes(name))).toEqual(['optimizer.state.0.step', 'optimizer.state.0.exp_avg'])
  })

  it('without an optimizer has none to give', async () => {
    using scratch = temporaryFolder()
    const source = await sourceOf('minimind', scratch.path)
    const request = { source, to: 'safetensors', out: join(scratch.path, 'out'), include: 'optimizer' } as const
    expect(await engineCode(() => planConversion(request))).toBe('checkpoint/no-optimizer')
  })
})

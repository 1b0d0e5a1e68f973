// Broken and hostile quantized checkpoints: every one ends with a code that names the field or the tensor, before a weight is computed with.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { openModelCheckpoint } from '../../../../engine/config/open-model-checkpoint'
import { openDecoder } from '../../../../engine/generate/open-decoder'
import { safetensorsFile, type TensorToWrite } from '../../../support/safetensors-writer'
import { temporaryFolder } from '../../../support/temporary-folder'

const fixtures = resolve(import.meta.dirname, '../../../fixtures/quantized')
const K_PROJ = 'model.layers.0.self_attn.k_proj'

type Json = Record<string, unknown>
type Tensors = Map<string, TensorToWrite>

interface Attack {
  readonly config?: (quantization: Json) => Json
  readonly tensors?: (tensors: Tensors) => void
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A copy of a fixture with a changed quantization_config or changed tensors. */
async function broken(fixture: string, attack: Attack): Promise<{ readonly directory: string } & Disposable> {
  const folder = temporaryFolder()
  const config: unknown = JSON.parse(readFileSync(join(fixtures, fixture, 'config.json'), 'utf8'))
  const field = fixture.startsWith('mlx') ? 'quantization' : 'quantization_config'
  if (!isJson(config) || !isJson(config[field])) throw new Error(`the fixture has no ${field}`)
  const quantization = attack.config?.(config[field]) ?? config[field]
  folder.write('config.json', JSON.stringify({ ...config, [field]: quantization }))
  using source = await openCheckpoint(join(fixtures, fixture, 'model.safetensors'))
  const tensors: Tensors = new Map()
  for (const { name, dtype, shape } of source.tensors.values()) tensors.set(name, { name, dtype, shape, bytes: await source.read(name) })
  attack.tensors?.(tensors)
  folder.write('model.safetensors', safetensorsFile([...tensors.values()]))
  return { directory: folder.path, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

function change(tensors: Tensors, name: string, changed: Partial<TensorToWrite>): void {
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new Error(`the fixture has no ${name}`)
  tensors.set(name, { ...tensor, ...changed })
}

const int32 = (values: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer)
const int64 = (values: readonly bigint[]): Uint8Array => new Uint8Array(BigInt64Array.from(values).buffer)
const set = (field: string, value: unknown) => ({ config: (quantization: Json) => ({ ...quantization, [field]: value }) })
const part = (name: string, changed: Partial<TensorToWrite>) => ({
  tensors: (tensors: Tensors) => change(tensors, `${K_PROJ}.${name}`, changed),
})
const without = (name: string) => ({ tensors: (tensors: Tensors) => void tensors.delete(`${K_PROJ}.${name}`) })
const weights = (changed: Json) => ({
  config: (quantization: Json) => ({ ...quantization, config_groups: { group_0: { targets: ['Linear'], weights: changed } } }),
})
const state = (text: string) => {
  const bytes = new TextEncoder().encode(text)
  return part('weight.quant_state.bitsandbytes__nf4', { bytes, shape: [bytes.length] })
}

const BLOCKS = 'model.layers.0.mlp.experts.gate_up_proj_blocks'

describe('refuses by name', () => {
  it.each<readonly [string, string, Attack, string, string]>([
    ['3 bits', 'gptq-4bit', set('bits', 3), 'config/unsupported-switch', 'quantization_config.bits'],
    ['a group size of 0', 'gptq-4bit', set('group_size', 0), 'config/out-of-range', 'quantization_config.group_size'],
    ['a group size below -1', 'gptq-4bit', set('group_size', -2), 'config/out-of-range', 'quantization_config.group_size'],
    ['a group size that is no number', 'gptq-4bit', set('group_size', '32'), 'config/wrong-type', 'quantization_config.group_size'],
    ['Marlin words', 'gptq-4bit', set('checkpoint_format', 'marlin'), 'config/unsupported-switch', 'quantization_config.checkpoint_format'],
    ['7 bits of MLX', 'mlx-4bit', set('bits', 7), 'config/unsupported-switch', 'quantization.bits'],
    ['another mode of MLX', 'mlx-4bit', set('mode', 'mxfp4'), 'config/unsupported-switch', 'quantization.mode'],
    [
      'a module of MLX with groups of 0',
      'mlx-4bit',
      set('lm_head', { group_size: 0 }),
      'config/out-of-range',
      'quantization.lm_head.group_size',
    ],
    ['AWQ for GEMV', 'awq', set('version', 'gemv'), 'config/unsupported-switch', 'quantization_config.version'],
    ['AWQ without zero points', 'awq', set('zero_point', false), 'config/unsupported-switch', 'quantization_config.zero_point'],
    ['AWQ of 8 bits', 'awq', set('bits', 8), 'config/unsupported-switch', 'quantization_config.bits'],
    ['a method of others', 'awq', set('quant_method', 'aqlm'), 'config/unsupported-switch', 'quantization_config.quant_method'],
    ['sparse 2:4 matrices', 'compressed-int4', set('format', 'marlin-24'), 'config/unsupported-switch', 'quantization_config.format'],
    [
      'a sparsity format',
      'compressed-int8',
      set('sparsity_config', { format: 'sparse-24-bitmask' }),
      'config/unsupported-switch',
      'quantization_config.sparsity_config.format',
    ],
    [
      'rotations',
      'compressed-int4',
      set('transform_config', { config_groups: { R1: {} } }),
      'config/unsupported-switch',
      'quantization_config.transform_config',
    ],
    [
      '6 bits',
      'compressed-int4',
      weights({ num_bits: 6, type: 'int' }),
      'config/unsupported-switch',
      'quantization_config.config_groups.group_0.weights.num_bits',
    ],
    [
      'blocks of one number',
      'float8-blocks',
      set('weight_block_size', [128]),
      'config/wrong-type',
      'quantization_config.weight_block_size',
    ],
    ['blocks of 0', 'float8-blocks', set('weight_block_size', [0, 128]), 'config/out-of-range', 'quantization_config.weight_block_size'],
    [
      'both bitsandbytes kinds',
      'bitsandbytes-int8',
      set('load_in_4bit', true),
      'config/unsupported-switch',
      'quantization_config.load_in_4bit',
    ],
  ])('%s', async (_, fixture, attack, code, field) => {
    using model = await broken(fixture, attack)
    await expect(openDecoder(model.directory)).rejects.toMatchObject({ code, details: { field } })
  })
})

describe('refuses parts that do not fit', () => {
  it.each<readonly [string, string, Attack, string, string]>([
    ['groups of another size than stated', 'gptq-4bit', set('group_size', 16), 'checkpoint/packed-part-shape', '.scales'],
    [
      'a group that is none',
      'gptq-desc-act',
      part('g_idx', { bytes: int32([...new Array<number>(63).fill(0), 2]) }),
      'checkpoint/packed-part-value',
      '.g_idx',
    ],
    [
      'a negative group',
      'gptq-desc-act',
      part('g_idx', { bytes: int32([-1, ...new Array<number>(63).fill(0)]) }),
      'checkpoint/packed-part-value',
      '.g_idx',
    ],
    [
      'bits by module that no width has',
      'gptq-dynamic',
      part('qzeros', { bytes: int32([0]), shape: [1, 1] }),
      'checkpoint/packed-part-shape',
      '.qzeros',
    ],
    ['MLX groups of another size than stated', 'mlx-4bit', set('group_size', 24), 'checkpoint/packed-part-shape', '.weight'],
    ['MLX biases of another shape', 'mlx-4bit', part('biases', { shape: [2, 32] }), 'checkpoint/packed-part-shape', '.biases'],
    ['too short an index', 'gptq-desc-act', part('g_idx', { bytes: int32([0]), shape: [1] }), 'checkpoint/packed-part-shape', '.g_idx'],
    ['no zero points', 'gptq-4bit', without('qzeros'), 'checkpoint/packed-part-missing', '.qzeros'],
    [
      'zero points of another shape',
      'awq',
      part('qzeros', { bytes: int32([0]), shape: [1, 1] }),
      'checkpoint/packed-part-shape',
      '.qzeros',
    ],
    ['scales that are codes', 'awq', part('scales', { dtype: 'I16' }), 'checkpoint/packed-part-dtype', '.scales'],
    ['words in one dimension', 'awq', part('qweight', { shape: [64 * 4] }), 'checkpoint/packed-part-shape', '.qweight'],
    ['no shape', 'compressed-int4', without('weight_shape'), 'checkpoint/packed-part-missing', '.weight_shape'],
    [
      'a shape beyond its words',
      'compressed-int4',
      part('weight_shape', { bytes: int64([32n, 1n << 60n]) }),
      'checkpoint/packed-part-value',
      '.weight_shape',
    ],
    [
      'a shape of other rows',
      'compressed-int4',
      part('weight_shape', { bytes: int64([64n, 64n]) }),
      'checkpoint/packed-part-value',
      '.weight_shape',
    ],
    [
      'zero points of other groups',
      'compressed-int4',
      part('weight_zero_point', { bytes: int32([1, 2]), shape: [2, 1] }),
      'checkpoint/packed-part-shape',
      '.weight_zero_point',
    ],
    [
      'groups that no config group has',
      'compressed-int4',
      weights({ num_bits: 4, strategy: 'group', group_size: 64 }),
      'checkpoint/packed-part-shape',
      '.weight_scale',
    ],
    [
      'one scale too few',
      'float8-blocks',
      part('weight_scale_inv', { bytes: int32([1, 1, 1]), shape: [3, 1] }),
      'checkpoint/packed-part-shape',
      '.weight_scale_inv',
    ],
    ['a state that is no JSON', 'bitsandbytes-nf4', state('nf4'), 'checkpoint/packed-part-value', '__nf4'],
    ['a state without a shape', 'bitsandbytes-nf4', state('{"blocksize":64}'), 'checkpoint/packed-part-value', '__nf4'],
    ['a block of no values', 'bitsandbytes-nf4', state('{"blocksize":0,"shape":[32,64]}'), 'checkpoint/packed-part-value', '__nf4'],
    [
      'a state of another size',
      'bitsandbytes-nf4',
      state('{"blocksize":64,"shape":[4000000000,4000000000],"nested_blocksize":16,"nested_offset":0}'),
      'checkpoint/packed-part-shape',
      '.absmax',
    ],
    [
      'a codebook too short',
      'bitsandbytes-nf4',
      part('weight.quant_map', { bytes: int32([0]), shape: [1] }),
      'checkpoint/packed-part-shape',
      '.quant_map',
    ],
    [
      'int8 in another order',
      'bitsandbytes-int8',
      part('weight_format', { bytes: Uint8Array.of(2) }),
      'checkpoint/packed-part-value',
      '.weight_format',
    ],
    [
      'blocks of 8 bytes',
      'mxfp4',
      { tensors: (tensors) => change(tensors, BLOCKS, { shape: [4, 128, 4, 8] }) },
      'checkpoint/packed-part-shape',
      '_blocks',
    ],
  ])('%s', async (_, fixture, attack, code, ending) => {
    using model = await broken(fixture, attack)
    const opening = openModelCheckpoint({ directory: model.directory, path: model.directory })
    await expect(opening).rejects.toMatchObject({ code })
    await expect(opening).rejects.toThrow(ending)
  })

  it('a scale that is no number, when its codes are prepared', async () => {
    using model = await broken('gptq-4bit', {
      tensors: (tensors) => change(tensors, `${K_PROJ}.scales`, { bytes: new Uint8Array(2 * 32 * 2).fill(0xff) }),
    })
    using folder = temporaryFolder()
    await expect(openDecoder(model.directory, { prepared: { folder: folder.path } })).rejects.toMatchObject({ code: 'prepared/not-finite' })
  })
})

it('takes channels whose groups are no whole blocks as values', async () => {
  // 33 and 31 channels: both groups exist, but no block of 16 holds one group only.
  using model = await broken('gptq-desc-act', part('g_idx', { bytes: int32(Array.from({ length: 64 }, (_, i) => (i < 33 ? 0 : 1))) }))
  using checkpoint = await openModelCheckpoint({ directory: model.directory, path: model.directory })
  const tensor = checkpoint.tensors.get(`${K_PROJ}.weight`)
  expect(tensor).toMatchObject({ storage: 'computed', shape: [32, 64] })
  expect(tensor).not.toHaveProperty('quantized')
  await expect(checkpoint.readQuantized?.({ name: `${K_PROJ}.weight`, firstRow: 0, rows: 1 })).rejects.toMatchObject({
    code: 'checkpoint/not-quantized',
  })
  await expect(checkpoint.readRange({ name: `${K_PROJ}.weight`, offsetBytes: 8192, sizeBytes: 4 })).rejects.toMatchObject({
    code: 'checkpoint/range-outside-tensor',
  })
})

// Baichuan 13B, told by its 40 heads and 40 layers: biases over distance in place of rotation. Logits of plain torch over weights that are made here again: test/fixtures/make_independent.py.
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { f32Tensor, safetensorsFile, type TensorToWrite } from '../../support/safetensors-writer'
import { temporaryFolder } from '../../support/temporary-folder'
import { loadModelFolder, maxDifference, standardDeviation } from './golden-model'

const VOCAB = 64
const HIDDEN = 80
const INNER = 8
const LAYERS = 40

/** The numbers of `counted` in the generator. */
function counted(name: string, count: number, options: { readonly power: number; readonly offset?: number }): readonly number[] {
  let state = 2166136261
  for (const byte of new TextEncoder().encode(name)) state = Math.imul(state ^ byte, 16777619) >>> 0
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return ((state >>> 16) / 65536 - 0.5) * 2 ** options.power + (options.offset ?? 0)
  })
}

function tensors(): readonly TensorToWrite[] {
  const matrix = (name: string, label: string, shape: readonly [number, number], power = -1): TensorToWrite =>
    f32Tensor(`${name}.weight`, counted(label, shape[0] * shape[1], { power }), shape)
  const norm = (name: string, label: string): TensorToWrite => f32Tensor(`${name}.weight`, counted(label, HIDDEN, { power: -1, offset: 1 }))
  const layers = Array.from({ length: LAYERS }, (_, index) => {
    const folder = `model.layers.${index}.`
    const inLayer = (name: string, rows: number, columns: number): TensorToWrite => matrix(folder + name, folder + name, [rows, columns])
    return [
      inLayer('self_attn.W_pack', 3 * HIDDEN, HIDDEN),
      inLayer('self_attn.o_proj', HIDDEN, HIDDEN),
      inLayer('mlp.gate_proj', INNER, HIDDEN),
      inLayer('mlp.up_proj', INNER, HIDDEN),
      inLayer('mlp.down_proj', HIDDEN, INNER),
      norm(`${folder}input_layernorm`, `${folder}input_layernorm`),
      norm(`${folder}post_attention_layernorm`, `${folder}post_attention_layernorm`),
    ]
  })
  return [
    matrix('model.embed_tokens', 'embed', [VOCAB, HIDDEN], 1),
    matrix('lm_head', 'head', [VOCAB, HIDDEN]),
    norm('model.norm', 'norm'),
    ...layers.flat(),
  ]
}

test('has the logits of plain torch', async () => {
  using folder = temporaryFolder()
  const config = {
    model_type: 'baichuan',
    architectures: ['BaichuanForCausalLM'],
    vocab_size: VOCAB,
    hidden_size: HIDDEN,
    intermediate_size: INNER,
    num_hidden_layers: LAYERS,
    num_attention_heads: 40,
    model_max_length: 4096,
    rms_norm_eps: 1e-6,
    hidden_act: 'silu',
  }
  folder.write('config.json', JSON.stringify(config))
  folder.write('model.safetensors', safetensorsFile(tensors()))
  using golden = await openCheckpoint(resolve(import.meta.dirname, '../../fixtures/baichuan-13b.golden.safetensors'))
  const expected = new Float32Array((await golden.read('logits')).slice().buffer)
  const ids = Array.from(new BigInt64Array((await golden.read('input_ids')).slice().buffer), Number)
  using model = await loadModelFolder(folder.path)
  using cache = model.createCache({ capacityTokens: ids.length })
  const logits = await model.forward({ ids, cache, logits: 'all' })
  expect(maxDifference(logits, expected) / standardDeviation(expected)).toBeLessThan(1e-4)
})

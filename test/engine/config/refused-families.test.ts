// Families whose blocks do not exist here: refused by their name, never read as something else. docs/architectures.md lists them.
import { expect, it } from 'vitest'
import { readDecoderConfig } from '../../../engine/config/read-config'
import { engineCode } from '../../support/engine-code'

const SIZES = { vocab_size: 64, hidden_size: 32, intermediate_size: 40, num_hidden_layers: 2, num_attention_heads: 4 }
const REFUSED =
  `mamba mamba2 falcon_mamba falcon_h1 jamba bamba zamba zamba2 nemotron_h recurrent_gemma rwkv xlstm qwen3_next qwen3_5 qwen3_5_moe qwen3_5_text olmo_hybrid kimi_linear minimax
  deepseek_v32 deepseek_v4 glm_moe_dsa llama4 llama4_text gemma3n gemma3n_text gemma4 gemma4_text longcat_flash granite_swa nanochat cwm dbrx xglm ctrl bert bart`.split(
    /\s+/,
  )

it.each(REFUSED)('%s is refused by name', async (modelType) => {
  expect(await engineCode(() => readDecoderConfig({ ...SIZES, model_type: modelType }))).toBe('config/unknown-model-type')
})

it.each(['mamba', 'linear_attention'])('Granite 4 with a layer of type %s is refused', async (type) => {
  const config = { ...SIZES, model_type: 'granitemoehybrid', num_local_experts: 0, layer_types: ['attention', type] }
  expect(await engineCode(() => readDecoderConfig(config))).toBe('config/unsupported-switch')
})

it('Granite 4 without types of layers, which would be state-space layers, is refused', async () => {
  expect(await engineCode(() => readDecoderConfig({ ...SIZES, model_type: 'granitemoehybrid' }))).toBe('config/missing-field')
})

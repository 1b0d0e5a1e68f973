// A made-up Llama in BF16 for benchmarks: only its shapes matter, its weights are pseudorandom.
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const COMMON = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  bos_token_id: 1,
  eos_token_id: 2,
  torch_dtype: 'bfloat16',
}

/** 98M parameters with a head of its own. */
export const SMALL = {
  ...COMMON,
  vocab_size: 8192,
  hidden_size: 768,
  intermediate_size: 2048,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_key_value_heads: 12,
  max_position_embeddings: 1024,
  tie_word_embeddings: false,
}

/** 293M parameters with grouped heads and a large table that is the head too, as small published models have it. */
export const LARGE = {
  ...COMMON,
  vocab_size: 65_536,
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 14,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  max_position_embeddings: 4096,
  tie_word_embeddings: true,
}

function shapes(config) {
  const { hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary, num_hidden_layers: layers } = config
  const narrow = (hidden / config.num_attention_heads) * config.num_key_value_heads
  const list = [
    ['model.embed_tokens.weight', [vocabulary, hidden]],
    ['model.norm.weight', [hidden]],
  ]
  if (!config.tie_word_embeddings) list.push(['lm_head.weight', [vocabulary, hidden]])
  for (let layer = 0; layer < layers; layer++) {
    const at = (name, ...shape) => list.push([`model.layers.${layer}.${name}.weight`, shape])
    for (const name of ['q_proj', 'o_proj']) at(`self_attn.${name}`, hidden, hidden)
    for (const name of ['k_proj', 'v_proj']) at(`self_attn.${name}`, narrow, hidden)
    for (const name of ['gate_proj', 'up_proj']) at(`mlp.${name}`, inner, hidden)
    at('mlp.down_proj', hidden, inner)
    for (const name of ['input_layernorm', 'post_attention_layernorm']) at(name, hidden)
  }
  return list
}

/** Writes the model; its matrices hold pseudorandom BF16 of magnitudes from 1/64 to 1/32, its norms ones. Returns the number of parameters. */
export function writeMadeUpLlama(folder, config) {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const tensors = shapes(config).map(([name, shape]) => ({ name, shape, elements: shape.reduce((a, b) => a * b) }))
  const header = {}
  let end = 0
  for (const { name, shape, elements } of tensors) header[name] = { dtype: 'BF16', shape, data_offsets: [end, (end += elements * 2)] }
  const text = Buffer.from(JSON.stringify(header))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(text.length))
  const file = openSync(join(folder, 'model.safetensors'), 'w')
  writeSync(file, size)
  writeSync(file, text)
  let state = 1
  for (const { shape, elements } of tensors) {
    const values = new Uint16Array(elements)
    for (let index = 0; index < elements; index++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      values[index] = shape.length === 1 ? 0x3f80 : 0x3c80 | ((state >>> 16) & 0x807f)
    }
    const bytes = Buffer.from(values.buffer)
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
  }
  closeSync(file)
  return end / 2
}

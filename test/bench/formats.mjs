// `npm run bench -- formats [--runs N --formats f32,q8,q4 --prompt N --tokens N --json]`: prefill and decode speed and peak memory by weight format, on a made-up Llama of 100M parameters in BF16.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const cli = resolve(import.meta.dirname, '../../out/main/cli.mjs')
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    formats: { type: 'string', default: 'f32,q8,q4,balanced,fast' },
    prompt: { type: 'string', default: '128' },
    tokens: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
  },
})

const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 8192,
  hidden_size: 768,
  intermediate_size: 2048,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_key_value_heads: 12,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  bos_token_id: 1,
  eos_token_id: 2,
  torch_dtype: 'bfloat16',
}

function shapes({ hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary, num_hidden_layers: layers }) {
  const list = [
    ['model.embed_tokens.weight', [vocabulary, hidden]],
    ['model.norm.weight', [hidden]],
    ['lm_head.weight', [vocabulary, hidden]],
  ]
  for (let layer = 0; layer < layers; layer++) {
    const at = (name, ...shape) => list.push([`model.layers.${layer}.${name}.weight`, shape])
    for (const name of ['q_proj', 'k_proj', 'v_proj', 'o_proj']) at(`self_attn.${name}`, hidden, hidden)
    for (const name of ['gate_proj', 'up_proj']) at(`mlp.${name}`, inner, hidden)
    at('mlp.down_proj', hidden, inner)
    for (const name of ['input_layernorm', 'post_attention_layernorm']) at(name, hidden)
  }
  return list
}

/** Writes the model; its matrices hold pseudorandom BF16 of magnitudes from 1/64 to 1/32, its norms ones. Returns the number of parameters. */
function writeModel(folder) {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG))
  const tensors = shapes(CONFIG).map(([name, shape]) => ({ name, shape, elements: shape.reduce((a, b) => a * b) }))
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

const folder = mkdtempSync(join(tmpdir(), 'weightroom-bench-'))
try {
  const parameters = writeModel(folder)
  const env = { ...process.env, WEIGHTROOM_DATA: join(folder, 'data') }
  const measure = (format) => {
    const args = ['bench', folder, '--format', format, '--prompt', values.prompt, '--tokens', values.tokens, '--runs', values.runs]
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args, '--json'], { encoding: 'utf8', env })
    if (status !== 0) throw new Error(`bench failed: ${stderr}`)
    return JSON.parse(stdout)
  }
  const results = values.formats.split(',').map((format) => {
    // The first process prepares the weights, the second one finds them.
    const { loadMs: firstLoadMs } = measure(format)
    return { ...measure(format), firstLoadMs, load: loadavg()[0] }
  })
  if (values.json) process.stdout.write(`${JSON.stringify({ parameters, results }, null, 2)}\n`)
  else {
    process.stdout.write(`${(parameters / 1e6).toFixed(0)}M parameters, BF16, ${cpus()[0]?.model}, ${results[0].threads} threads\n`)
    for (const result of results) {
      const { format, firstLoadMs, loadMs, prefillTokensPerSecond, decodeTokensPerSecond, peakMemoryBytes, load } = result
      process.stdout.write(
        `${format.padEnd(10)} prefill ${prefillTokensPerSecond.toFixed(0)} tokens/s, decode ${decodeTokensPerSecond.toFixed(1)} tokens/s, ` +
          `load ${firstLoadMs.toFixed(0)} then ${loadMs.toFixed(0)} ms, peak ${(peakMemoryBytes / 2 ** 20).toFixed(0)} MiB, machine load ${load.toFixed(1)}\n`,
      )
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

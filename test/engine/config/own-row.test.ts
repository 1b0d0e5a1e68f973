// Rows beyond Transformers: a folder's own weightroom.json, and the families known by public configurations only. Each is a Llama with other names or joined matrices and must give a Llama's logits.
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../engine/bytes/json'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { parseOwnRow } from '../../../engine/config/own-row'
import { loadDecoderConfig, readConfigJson } from '../../../engine/config/read-config'
import { loadDecoder } from '../../../engine/runtime/load-decoder'
import { engineCode } from '../../support/engine-code'
import { safetensorsFile, type TensorToWrite } from '../../support/safetensors-writer'
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder'

/** 2 heads of 16 dimensions, 1 key head, hidden size 32. */
const source = resolve(import.meta.dirname, '../../fixtures/models/bf16')
const manyHeads = resolve(import.meta.dirname, '../../fixtures/models/multi-head')
const IDS = [5, 9, 33, 4, 60, 7]

async function readTensors(directory: string): Promise<Map<string, TensorToWrite>> {
  using checkpoint = await openCheckpoint(directory)
  const tensors = new Map<string, TensorToWrite>()
  for (const { name, dtype, shape } of checkpoint.tensors.values()) {
    tensors.set(name, { name, dtype, shape, bytes: Uint8Array.from(await checkpoint.read(name)) })
  }
  return tensors
}

async function logits(directory: string): Promise<Float32Array> {
  const config = await loadDecoderConfig(directory)
  using checkpoint = await openCheckpoint(directory)
  using model = await loadDecoder({ directory, checkpoint, config })
  expect(model.notes).toEqual([])
  using cache = model.createCache({ capacityTokens: IDS.length })
  return await model.forward({ ids: IDS, cache, logits: 'all' })
}

/** Matrices [rows, columns] of one width on top of each other. */
function stacked(name: string, parts: readonly TensorToWrite[]): TensorToWrite {
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0)
  const [first] = parts
  if (first === undefined) throw new Error('nothing to stack')
  return { name, dtype: first.dtype, shape: [rows, first.shape[1] ?? 0], bytes: Buffer.concat(parts.map(({ bytes }) => bytes)) }
}

function joinProjections(tensors: ReadonlyMap<string, TensorToWrite>, joined: string): TensorToWrite[] {
  const out: TensorToWrite[] = []
  for (const tensor of tensors.values()) {
    const match = /^(.*self_attn\.)([qkv])_proj\.weight$/.exec(tensor.name)
    if (match?.[2] !== 'q') {
      if (match === null) out.push(tensor)
      continue
    }
    const parts = ['q', 'k', 'v'].flatMap((part) => tensors.get(`${match[1] ?? ''}${part}_proj.weight`) ?? [])
    out.push(stacked(`${match[1] ?? ''}${joined}.weight`, parts))
  }
  return out
}

function rename(tensors: readonly TensorToWrite[], names: readonly (readonly [string, string])[]): TensorToWrite[] {
  return tensors.map((tensor) => ({ ...tensor, name: names.reduce((name, [from, to]) => name.replace(from, to), tensor.name) }))
}

function write(folder: TemporaryFolder, config: JsonObject, tensors: readonly TensorToWrite[]): void {
  folder.write('config.json', JSON.stringify(config))
  folder.write('model.safetensors', safetensorsFile(tensors))
}

describe('a family of another name gives the logits of the Llama it was made from', () => {
  it('baichuan: one matrix with queries, keys and values', async () => {
    using folder = temporaryFolder()
    write(folder, { ...(await readConfigJson(manyHeads)), model_type: 'baichuan' }, joinProjections(await readTensors(manyHeads), 'W_pack'))
    expect(await logits(folder.path)).toEqual(await logits(manyHeads))
  })

  it('internlm2: other names, queries before the key and value of their head', async () => {
    using folder = temporaryFolder()
    const tensors = rename(joinProjections(await readTensors(source), 'wqkv'), [
      ['self_attn.wqkv', 'attention.wqkv'],
      ['self_attn.o_proj', 'attention.wo'],
      ['input_layernorm', 'attention_norm'],
      ['post_attention_layernorm', 'ffn_norm'],
      ['mlp.gate_proj', 'feed_forward.w1'],
      ['mlp.up_proj', 'feed_forward.w3'],
      ['mlp.down_proj', 'feed_forward.w2'],
      ['embed_tokens', 'tok_embeddings'],
      ['lm_head', 'output'],
    ])
    write(folder, { ...(await readConfigJson(source)), model_type: 'internlm2' }, tensors)
    expect(await logits(folder.path)).toEqual(await logits(source))
  })

  it('minimind: its own name and defaults', async () => {
    using folder = temporaryFolder()
    write(folder, { ...(await readConfigJson(source)), model_type: 'minimind' }, [...(await readTensors(source)).values()])
    expect(await logits(folder.path)).toEqual(await logits(source))
  })

  it('a custom model_type with weightroom.json', async () => {
    using folder = temporaryFolder()
    const tensors = rename(
      [...(await readTensors(source)).values()],
      [
        ['model.layers.', 'body.blocks.'],
        ['model.', 'body.'],
        ['self_attn.q_proj', 'mix.query'],
      ],
    )
    const { hidden_size: width = null, architectures: _, ...config } = await readConfigJson(source)
    write(folder, { ...config, width, model_type: 'my_own' }, tensors)
    expect(await engineCode(() => loadDecoderConfig(folder.path))).toBe('config/unknown-model-type')
    const row = { prefixes: ['body.'], names: { layer: 'blocks.{i}', query: 'mix.query' }, sizes: { hiddenSize: { field: 'width' } } }
    folder.write('weightroom.json', JSON.stringify({ extends: 'llama', row }))
    expect(await logits(folder.path)).toEqual(await logits(source))
  })
})

describe('weightroom.json', () => {
  it.each<[string, JsonValue]>([
    ['an unknown base', { extends: 'rwkv' }],
    ['a base named like a method', { extends: 'constructor' }],
    ['an unknown key', { code: 'import os' }],
    ['an unknown part of a row', { row: { variants: [] } }],
    ['a part named like a prototype', JSON.parse('{"row":{"__proto__":{"family":"x"}}}') as JsonValue],
    ['text for an object', { row: { names: 'all' } }],
    ['a number for a name', { row: { names: { query: 7 } } }],
    ['a layer without its number', { row: { names: { layer: 'blocks' } } }],
    ['a name of a megabyte', { row: { names: { query: 'x'.repeat(1_000_000) } } }],
    ['a thousand prefixes', { row: { prefixes: Array.from({ length: 1000 }, () => 'a.') } }],
    ['an unknown kind', { row: { norm: { kind: 'batch' } } }],
    ['a rule with a key too many', { row: { norm: { eps: { field: 'eps', default: 1, eval: '1' } } } }],
    ['half of the norm of queries', { row: { attention: { queryKeyNorm: { enabled: true } } } }],
  ])('refuses %s', async (_, json) => {
    expect(await engineCode(() => parseOwnRow(json, 'weightroom.json'))).toBe('config/bad-row')
  })

  it('refuses what is no object', async () => {
    expect(await engineCode(() => parseOwnRow([], 'weightroom.json'))).toBe('config/not-an-object')
  })
})

// Building a decoder graph from a checkpoint's tensor list: what is found, what is missing, what is left over.
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { TensorInfo } from '../../../engine/checkpoint/types'
import { protoString, readProtoFields } from '../../../engine/bytes/protobuf'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import type { DecoderConfig } from '../../../engine/config/decoder-config'
import { readConfigJson, readDecoderConfig } from '../../../engine/config/read-config'
import { createGraphBuilder } from '../../../engine/graph/builder'
import { buildDecoderGraph, type DecoderGraph } from '../../../engine/graph/decoder'
import type { Widening } from '../../../engine/graph/widening'

interface Model {
  readonly config: DecoderConfig
  readonly tensors: ReadonlyMap<string, TensorInfo>
}

async function fixture(name: string): Promise<Model> {
  const directory = resolve(import.meta.dirname, '../../fixtures/models', name)
  using checkpoint = await openCheckpoint(directory)
  return { config: readDecoderConfig(await readConfigJson(directory)), tensors: checkpoint.tensors }
}

function build({ config, tensors }: Model, widening: Widening = 'at-load'): DecoderGraph {
  return buildDecoderGraph({ config, tensors, locate: (file) => file, widening })
}

interface Node {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** The nodes of a serialized graph by their outputs. */
function producers(model: Uint8Array): ReadonlyMap<string, Node> {
  const texts = (message: Uint8Array, number: number): readonly string[] =>
    [...readProtoFields(message, { what: 'test' })].flatMap((field) =>
      field.number === number && field.wire === 'bytes' ? [protoString(field.bytes, { what: 'test' })] : [],
    )
  const messages = (message: Uint8Array, number: number): readonly Uint8Array[] =>
    [...readProtoFields(message, { what: 'test' })].flatMap((field) =>
      field.number === number && field.wire === 'bytes' ? [field.bytes] : [],
    )
  const nodes = messages(model, 7).flatMap((graph) => messages(graph, 1))
  return new Map(
    nodes.flatMap((bytes) => {
      const node = { inputs: texts(bytes, 1), outputs: texts(bytes, 2) }
      return node.outputs.map((output) => [output, node] as const)
    }),
  )
}

/** Whether `value` is computed from `source`, directly or not. */
function dependsOn(nodes: ReadonlyMap<string, Node>, value: string, source: string): boolean {
  return value === source || (nodes.get(value)?.inputs ?? []).some((input) => dependsOn(nodes, input, source))
}

function without(model: Model, ...names: readonly string[]): Model {
  return { ...model, tensors: new Map([...model.tensors].filter(([name]) => !names.includes(name))) }
}

function withTensor(model: Model, name: string, change: Partial<Pick<TensorInfo, 'dtype' | 'shape' | 'sizeBytes'>>): Model {
  const [first] = model.tensors.values()
  const base = model.tensors.get(name) ?? first
  if (base === undefined) throw new Error('the fixture has no tensors')
  return { ...model, tensors: new Map([...model.tensors, [name, { ...base, name, ...change }]]) }
}

test('no weight is copied into the graph', async () => {
  const model = await fixture('bf16')
  const graph = build(model)
  const total = [...model.tensors.values()].reduce((sum, tensor) => sum + tensor.sizeBytes, 0)
  expect(graph.weightBytes).toBe(total)
  expect(graph.model.length).toBeLessThan(20_000)
  expect(graph.notes).toEqual([])
})

test.each([
  { widening: 'per-run', waits: true },
  { widening: 'at-load', waits: false },
] as const)('a matrix widened $widening waits for its layer: $waits', async ({ widening, waits }) => {
  const nodes = producers(build(await fixture('bf16'), widening).model)
  for (const [weight, before] of [
    ['model.layers.0.mlp.down_proj.weight', '/model/layers.0/mlp/Mul/output_0'],
    ['model.layers.1.self_attn.q_proj.weight', '/model/layers.0/mlp/down_proj/Gemm/output_0'],
    ['lm_head.weight', '/model/layers.1/mlp/down_proj/Gemm/output_0'],
  ] as const) {
    expect(nodes.has(before)).toBe(true)
    expect(nodes.has(`/weights/${weight}/Cast/output_0`)).toBe(true)
    expect(dependsOn(nodes, `/weights/${weight}/Cast/output_0`, before)).toBe(waits)
  }
})

test('a tied head shares the embedding table', async () => {
  const graph = build(await fixture('f16-tied'))
  const text = new TextDecoder('latin1').decode(graph.model)
  expect(text).not.toContain('lm_head.weight')
})

test.each([
  'model.embed_tokens.weight',
  'model.norm.weight',
  'lm_head.weight',
  'model.layers.1.self_attn.k_proj.weight',
  'model.layers.0.mlp.down_proj.weight',
  'model.layers.0.input_layernorm.weight',
])('a checkpoint without %s is refused by that name', async (tensor) => {
  const model = without(await fixture('bf16'), tensor)
  expect(() => build(model)).toThrow(expect.objectContaining({ code: 'graph/weight-missing', details: { tensor, family: 'Llama' } }))
})

test('a checkpoint with fewer layers than config.json says is refused', async () => {
  const model = await fixture('bf16')
  const { layers } = model.config
  const deeper = { ...model, config: { ...model.config, numHiddenLayers: 3, layers: [...layers, ...layers.slice(0, 1)] } }
  expect(() => build(deeper)).toThrow(
    expect.objectContaining({
      code: 'graph/weight-missing',
      details: { tensor: 'model.layers.2.input_layernorm.weight', family: 'Llama' },
    }),
  )
})

test('a bias that config.json asks for must be there', async () => {
  const model = await fixture('biases')
  const tensor = 'model.layers.1.self_attn.o_proj.bias'
  expect(() => build(without(model, tensor))).toThrow(expect.objectContaining({ code: 'graph/weight-missing' }))
})

test('a tied model without either table names the embedding', async () => {
  const model = without(await fixture('f16-tied'), 'model.embed_tokens.weight')
  expect(() => build(model)).toThrow(
    expect.objectContaining({ code: 'graph/weight-missing', details: { tensor: 'model.embed_tokens.weight', family: 'Llama' } }),
  )
})

test.each([
  { name: 'model.embed_tokens.weight', shape: [63, 32], expected: [64, 32] },
  { name: 'model.layers.0.self_attn.q_proj.weight', shape: [32], expected: [32, 32] },
  { name: 'model.layers.0.mlp.gate_proj.weight', shape: [32, 40], expected: [40, 32] },
  { name: 'model.norm.weight', shape: [], expected: [32] },
])('$name of the shape $shape is refused with the shape expected', async ({ name, shape, expected }) => {
  const model = withTensor(await fixture('bf16'), name, { shape })
  expect(() => build(model)).toThrow(
    expect.objectContaining({ code: 'graph/weight-shape', details: { tensor: name, found: shape, expected } }),
  )
})

test('a weight of whole numbers is refused with the dtypes allowed', async () => {
  const model = withTensor(await fixture('bf16'), 'model.norm.weight', { dtype: 'I8' })
  expect(() => build(model)).toThrow(
    expect.objectContaining({
      code: 'graph/weight-dtype',
      details: { tensor: 'model.norm.weight', found: 'I8', allowed: expect.arrayContaining(['F32', 'F16', 'BF16']) as unknown },
    }),
  )
})

test('tensors that the family does not use are remarked on, stored frequencies are not', async () => {
  const model = await fixture('bf16')
  const extra = withTensor(withTensor(model, 'vision.weight', {}), 'model.layers.0.self_attn.rotary_emb.inv_freq', {
    dtype: 'F32',
    shape: [8],
  })
  expect(build(extra).notes).toEqual(['A Llama decoder does not use vision.weight.'])
})

test('many unused tensors are counted, not listed', async () => {
  let model = await fixture('bf16')
  for (let index = 0; index < 40; index++) model = withTensor(model, `extra.${index}`, {})
  const [note, ...others] = build(model).notes
  expect(others).toEqual([])
  expect(note).toContain('and 35 more')
})

test('a repeated name is an error', () => {
  const builder = createGraphBuilder({ name: 'test' })
  builder.node({ path: '/a/Add', op: 'Add', inputs: ['x', 'y'] })
  expect(() => builder.node({ path: '/a/Add', op: 'Add', inputs: ['x', 'y'] })).toThrow(
    expect.objectContaining({ code: 'graph/name-repeated' }),
  )
  expect(() => builder.input({ name: '/a/Add/output_0', dtype: 'F32', shape: [1] })).toThrow(
    expect.objectContaining({ code: 'graph/name-repeated' }),
  )
})

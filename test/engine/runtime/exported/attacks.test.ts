// Exported graphs that are hostile or of another kind: each is refused by its own code before ONNX Runtime sees a byte.
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDecoder } from '../../../../engine/generate/open-decoder'
import { temporaryFolder } from '../../../support/temporary-folder'
import { tinyOnnx, type TinyInitializer, type TinyNode, type TinyPort } from '../../../support/tiny-onnx'

const ids: TinyPort = { name: 'input_ids', type: 'I64', shape: ['batch', 'sequence'] }
const logits: TinyPort = { name: 'logits', type: 'F32', shape: ['batch', 'sequence', 8] }
const past: TinyPort = { name: 'past_key_values.0.key', type: 'F32', shape: ['batch', 1, 'past', 4] }
const table: TinyInitializer = { name: 'table', type: 'F32', shape: [8, 8], bytes: new Uint8Array(256) }
const gather: TinyNode = { op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['logits'] }

interface Parts {
  readonly inputs?: readonly TinyPort[]
  readonly outputs?: readonly TinyPort[]
  readonly nodes?: readonly TinyNode[]
  readonly initializers?: readonly TinyInitializer[]
}

/** Writes a model folder and opens its decoder. */
async function open(parts: Parts, options: { readonly prepare?: (folder: string) => void; readonly config?: object } = {}): Promise<void> {
  using folder = temporaryFolder()
  const directory = join(folder.path, 'model')
  mkdirSync(directory)
  const { inputs = [ids], outputs = [logits], nodes = [gather], initializers = [table] } = parts
  writeFileSync(join(directory, 'model.onnx'), tinyOnnx({ inputs, outputs, nodes, initializers }))
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ model_type: 'llama', vocab_size: 8, ...options.config }))
  options.prepare?.(directory)
  using decoder = (await openDecoder(directory)).decoder
  using cache = decoder.createCache({ capacityTokens: 4 })
  await decoder.forward({ ids: [1, 2], cache, logits: 'all' })
}

const outside = (location: string): Parts => ({
  initializers: [{ name: 'table', type: 'F32', shape: [8, 8], external: { location, offsetBytes: 0, sizeBytes: 256 } }],
})
const writeOutside = (folder: string): string => {
  const path = join(folder, '..', 'elsewhere.bin')
  writeFileSync(path, new Uint8Array(256))
  return path
}

test('the smallest graph that is a decoder runs', async () => {
  await open({})
})

describe('border', () => {
  test.each<[string, string, Parts]>([
    ['no ids', 'graph/export-missing-port', { inputs: [], nodes: [] }],
    ['no scores', 'graph/export-missing-port', { outputs: [{ ...logits, name: 'last_hidden_state' }] }],
    ['pictures', 'graph/export-unknown-input', { inputs: [ids, { name: 'pixel_values', type: 'F32', shape: [1, 3, 8, 8] }] }],
    ['embeddings in place of ids', 'graph/export-unknown-input', { inputs: [{ name: 'inputs_embeds', type: 'F32', shape: [1, 's', 8] }] }],
    ['ids of rank 1', 'graph/export-port-shape', { inputs: [{ ...ids, shape: ['sequence'] }] }],
    ['ids of a fixed length', 'graph/export-port-shape', { inputs: [{ ...ids, shape: [1, 64] }] }],
    ['a batch of two', 'graph/export-port-shape', { inputs: [{ ...ids, shape: [2, 'sequence'] }] }],
    [
      'positions of rank 3',
      'graph/export-port-shape',
      { inputs: [ids, { name: 'position_ids', type: 'I64', shape: [3, 'batch', 'sequence'] }] },
    ],
    ['ids that are floats', 'graph/export-port-dtype', { inputs: [{ ...ids, type: 'F32' }] }],
    ['scores that are integers', 'graph/export-port-dtype', { outputs: [{ ...logits, type: 'I64' }] }],
    ['a cache of rank 3', 'graph/export-port-shape', { inputs: [ids, { ...past, shape: ['batch', 'past', 4] }] }],
    ['a cache that is not given back', 'graph/export-cache-gap', { inputs: [ids, past] }],
    [
      'an unknown vocabulary larger than any',
      'graph/export-port-shape',
      { outputs: [{ ...logits, shape: ['batch', 'sequence', 2 ** 40] }] },
    ],
  ])('refuses %s', async (_, code, parts) => {
    await expect(open(parts)).rejects.toMatchObject({ code })
  })
})

describe('operators', () => {
  test.each([
    ['custom', 'evil.ops', 'Run'],
    ['binary', 'com.microsoft', 'EPContext'],
  ])('refuses %s ones by name', async (_, domain, op) => {
    const nodes = [gather, { op, domain, inputs: ['logits'], outputs: ['x'] }]
    await expect(open({ nodes })).rejects.toMatchObject({
      code: 'graph/export-custom-operator',
      details: { operators: [`${domain}::${op}`] },
    })
  })
})

describe('data outside of the file', () => {
  test.each(['../elsewhere.bin', '/etc/hostname', 'a/../../elsewhere.bin', '..'])('refuses the location %s', async (location) => {
    await expect(open(outside(location), { prepare: writeOutside })).rejects.toMatchObject({ code: 'checkpoint/unsafe-reference' })
  })

  test.skipIf(process.platform === 'win32')('refuses a link that leads out, and a second name of a file elsewhere', async () => {
    const link = (make: (target: string, path: string) => void) => (folder: string) =>
      make(writeOutside(folder), join(folder, 'weights.bin'))
    await expect(open(outside('weights.bin'), { prepare: link(symlinkSync) })).rejects.toMatchObject({
      code: 'checkpoint/unsafe-reference',
    })
    await expect(open(outside('weights.bin'), { prepare: link(linkSync) })).rejects.toMatchObject({
      code: 'checkpoint/hard-linked-reference',
    })
  })

  test('refuses a range beyond the file and a file that is missing', async () => {
    const prepare = (folder: string): void => writeFileSync(join(folder, 'short.bin'), new Uint8Array(16))
    await expect(open(outside('short.bin'), { prepare })).rejects.toMatchObject({ code: 'checkpoint/truncated-file' })
    await expect(open(outside('none.bin'))).rejects.toMatchObject({ code: 'checkpoint/missing-shard' })
  })

  test('runs with data in a file beside it', async () => {
    await open(outside('weights.bin'), { prepare: (folder) => writeFileSync(join(folder, 'weights.bin'), new Uint8Array(256)) })
  })
})

describe('genai_config.json', () => {
  const open2 = async (model: object): Promise<void> => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'model.onnx'), tinyOnnx({ inputs: [ids], outputs: [logits], nodes: [gather], initializers: [table] }))
    writeFileSync(join(folder.path, 'genai_config.json'), JSON.stringify({ model }))
    using _decoder = (await openDecoder(folder.path)).decoder
  }
  test.each<[string, string, object]>([
    ['a pipeline of sessions', 'config/unsupported-switch', { decoder: { pipeline: [{}] } }],
    ['a picture encoder', 'config/unsupported-switch', { vision: {}, decoder: {} }],
    ['a library of custom operators', 'config/unsupported-switch', { decoder: { session_options: { custom_ops_library: 'evil.so' } } }],
    ['keys and values in one tensor', 'config/unsupported-switch', { decoder: { inputs: { past_names: 'past_%d' } } }],
    ['a file name that leads out', 'config/wrong-type', { decoder: { filename: '../model.onnx' } }],
    ['a template without a layer', 'config/wrong-type', { decoder: { inputs: { past_key_names: 'past' } } }],
    ['a context beyond all limits', 'config/out-of-range', { context_length: 1e12 }],
  ])('refuses %s', async (_, code, model) => {
    await expect(open2(model)).rejects.toMatchObject({ code })
  })
})

test('a variant that is not there is refused with those that are', async () => {
  const folder = resolve(import.meta.dirname, '../../../fixtures/onnx/optimum')
  await expect(openDecoder(folder, { variant: 'bnb4' })).rejects.toMatchObject({
    code: 'checkpoint/onnx-no-variant',
    details: { format: 'bnb4', available: ['f32', 'f16', 'q4'] },
  })
})

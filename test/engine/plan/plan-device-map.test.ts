// The planner's invariants for any model and machine, and its weight bytes against real checkpoints.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import type { DecoderConfig } from '../../../engine/config/decoder-config'
import { loadDecoderConfig, readDecoderConfig } from '../../../engine/config/read-config'
import { kvCacheBytes, workspaceBytes } from '../../../engine/plan/memory-model'
import { planDeviceMap } from '../../../engine/plan/plan-device-map'
import type { MachineDescription } from '../../../engine/plan/types'
import type { TensorSize } from '../../../engine/plan/weight-map'
import { hasReference, referencePath } from '../../support/reference'

const GIB = 2 ** 30
const machine = (freeBytes: number): MachineDescription => ({
  devices: [{ id: 'cpu', kind: 'cpu', name: 'a CPU', totalBytes: 64 * GIB, freeBytes }],
})

function decoder(options: { readonly layers: number; readonly heads: number; readonly tied: boolean }): DecoderConfig {
  return readDecoderConfig({
    model_type: 'llama',
    vocab_size: 1000,
    hidden_size: options.heads * 64,
    intermediate_size: options.heads * 128,
    num_hidden_layers: options.layers,
    num_attention_heads: options.heads,
    max_position_embeddings: 4096,
    tie_word_embeddings: options.tied,
  })
}

function tensorsOf(config: DecoderConfig, dtype: 'F32' | 'BF16'): TensorSize[] {
  const { hiddenSize, intermediateSize, vocabSize } = config
  const bytes = dtype === 'F32' ? 4 : 2
  const tensor = (name: string, ...shape: number[]): TensorSize => ({ name, dtype, shape, sizeBytes: shape.reduce((a, b) => a * b, bytes) })
  const layer = (index: number): TensorSize[] => [
    ...['q', 'k', 'v', 'o'].map((part) => tensor(`model.layers.${index}.self_attn.${part}_proj.weight`, hiddenSize, hiddenSize)),
    ...['gate', 'up'].map((part) => tensor(`model.layers.${index}.mlp.${part}_proj.weight`, intermediateSize, hiddenSize)),
    tensor(`model.layers.${index}.mlp.down_proj.weight`, hiddenSize, intermediateSize),
    tensor(`model.layers.${index}.input_layernorm.weight`, hiddenSize),
    tensor(`model.layers.${index}.post_attention_layernorm.weight`, hiddenSize),
  ]
  return [
    tensor('model.embed_tokens.weight', vocabSize, hiddenSize),
    ...Array.from({ length: config.numHiddenLayers }, (_, index) => layer(index)).flat(),
    tensor('model.norm.weight', hiddenSize),
    ...(config.tieWordEmbeddings ? [] : [tensor('lm_head.weight', vocabSize, hiddenSize)]),
  ]
}
const totalSize = (tensors: readonly TensorSize[]): number => tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

const requests = fc.record({
  layers: fc.integer({ min: 1, max: 12 }),
  heads: fc.integer({ min: 1, max: 16 }),
  tied: fc.boolean(),
  dtype: fc.constantFrom('F32' as const, 'BF16' as const),
  freeBytes: fc.integer({ min: 0, max: 64 * GIB }),
  contextLength: fc.option(fc.integer({ min: 16, max: 10_000 })),
})

describe('planDeviceMap', () => {
  it('keeps its invariants for any model and machine', () => {
    fc.assert(
      fc.property(requests, ({ dtype, freeBytes, contextLength, ...shape }) => {
        const config = decoder(shape)
        const map = planDeviceMap({ config, tensors: tensorsOf(config, dtype), machine: machine(freeBytes), contextLength })
        expect(map.stages.map(({ kind, index }) => (kind === 'layer' ? index : kind))).toEqual([
          'embedding',
          ...Array(shape.layers).keys(),
          'head',
        ])
        const [device] = map.devices
        if (device === undefined) throw new Error('the map has no device')
        expect(map.stages.every((stage) => stage.device === device.id)).toBe(true)
        const { predicted } = device
        expect(map.stages.reduce((sum, stage) => sum + stage.weightBytes, 0)).toBe(predicted.weightBytes)
        expect(predicted.weightBytes + predicted.kvBytes + predicted.workspaceBytes + predicted.baseBytes).toBe(predicted.totalBytes)
        expect(map.contextLength).toBe(Math.min(contextLength ?? 4096, 4096))
        if (map.fits) expect(predicted.totalBytes).toBeLessThanOrEqual(freeBytes)
        expect(map.stages.at(-1)?.tied).toBe(shape.tied)
      }),
      { numRuns: 40 },
    )
  })

  it('fits on every machine with more free memory, once it fits', () => {
    fc.assert(
      fc.property(requests, fc.nat(GIB), ({ dtype, freeBytes, contextLength, ...shape }, more) => {
        const config = decoder(shape)
        const request = { config, tensors: tensorsOf(config, dtype), contextLength, widening: 'at-load' } as const
        const fitted = planDeviceMap({ ...request, machine: machine(freeBytes) }).fits
        if (fitted) expect(planDeviceMap({ ...request, machine: machine(freeBytes + more) }).fits).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it('counts F32 weights as they lie in the file', () => {
    const config = decoder({ layers: 3, heads: 2, tied: false })
    const tensors = tensorsOf(config, 'F32')
    expect(planDeviceMap({ config, tensors, machine: machine(GIB) }).devices[0]?.predicted.weightBytes).toBe(totalSize(tensors))
  })

  it('counts 16-bit weights twice when they are widened at load, the table once more for a tied head', () => {
    const config = decoder({ layers: 3, heads: 2, tied: true })
    const tensors = tensorsOf(config, 'BF16')
    const table = 1000 * 128 * 2
    const map = planDeviceMap({ config, tensors, machine: machine(16 * GIB), widening: 'at-load' })
    expect(map.stages[0]?.weightBytes).toBe(table)
    expect(map.stages.at(-1)?.weightBytes).toBe(2 * table + 2 * 128 * 2)
    expect(map.devices[0]?.predicted.weightBytes).toBe(2 * totalSize(tensors) + table)
  })

  it('widens per run, and keeps room for one widened matrix, where copies would not fit', () => {
    const config = decoder({ layers: 3, heads: 2, tied: true })
    const tensors = tensorsOf(config, 'BF16')
    const map = planDeviceMap({ config, tensors, machine: machine(2 * totalSize(tensors)) })
    const [device] = map.devices
    expect(device?.predicted.weightBytes).toBe(totalSize(tensors))
    expect(device?.predicted.workspaceBytes).toBe(workspaceBytes(config, 4096) + 2 * 1000 * 128 * 4)
  })

  it('leaves out tensors that the family does not use', () => {
    const config = decoder({ layers: 1, heads: 1, tied: true })
    const extra: TensorSize = { name: 'vision.tower', dtype: 'F32', shape: [1000, 1000], sizeBytes: 4_000_000 }
    const without = planDeviceMap({ config, tensors: tensorsOf(config, 'F32'), machine: machine(GIB) })
    expect(planDeviceMap({ config, tensors: [...tensorsOf(config, 'F32'), extra], machine: machine(GIB) })).toEqual(without)
  })

  it('needs memory for keys and values in proportion to the context', () => {
    const config = decoder({ layers: 4, heads: 8, tied: true })
    expect(kvCacheBytes(config, 2000)).toBe(2 * kvCacheBytes(config, 1000))
    expect(kvCacheBytes(config, 1)).toBe(2 * 4 * 8 * 64 * 4)
  })

  it.skipIf(!hasReference).each(['llama', 'llama3-rope'])('accounts for every byte of the reference checkpoint %s', async (name) => {
    const config = await loadDecoderConfig(referencePath('models', name))
    using checkpoint = await openCheckpoint(referencePath('models', name))
    const tensors = [...checkpoint.tensors.values()]
    const map = planDeviceMap({ config, tensors, machine: machine(GIB) })
    expect(map.devices[0]?.predicted.weightBytes).toBe(totalSize(tensors))
    expect(map.weightDtype).toBe('F32')
  })
})

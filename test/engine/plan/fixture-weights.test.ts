// The planner's weights against the graph's, for every family: windows, latent attention, experts, tied heads, leftovers. Fixtures: test/fixtures/make_models.py.
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { buildDecoderGraph } from '../../../engine/graph/decoder'
import { imaginedTensors } from '../../../engine/graph/used-weights'
import { createPlacement } from '../../../engine/prepared/placement'
import { planDeviceMap } from '../../../engine/plan/plan-device-map'
import type { MachineDescription } from '../../../engine/plan/types'
import type { TensorSize } from '../../../engine/plan/weight-map'
import { readModel } from '../runtime/golden-model'

const fixtures = resolve(import.meta.dirname, '../../fixtures/models')
const machine: MachineDescription = { devices: [{ id: 'cpu', kind: 'cpu', name: 'a CPU', totalBytes: 2 ** 30, freeBytes: 2 ** 30 }] }

test.each(readdirSync(fixtures))('the prepared file of the plan is the one that the graph asks for: %s', async (name) => {
  const { config, checkpoint } = await readModel(resolve(fixtures, name))
  using opened = checkpoint
  for (const format of ['stored', 'balanced'] as const) {
    const placement = createPlacement()
    const prepared = { placement, location: 'prepared' }
    buildDecoderGraph({ config, tensors: opened.tensors, locate: (file) => file, widening: 'at-load', format, prepared })
    const map = planDeviceMap({ config, tensors: opened.tensors.values(), machine, widening: 'at-load', format })
    expect(map.preparedBytes).toBe(placement.entries().length === 0 ? 0 : placement.endBytes())
    expect(map.readBytes.q4 > 0).toBe(placement.entries().some(({ form }) => form.kind !== 'f32' && form.format.bits === 4))
  }
})

test.each(readdirSync(fixtures))('the weights of the plan are those that the graph places: %s', async (name) => {
  const { config, checkpoint } = await readModel(resolve(fixtures, name))
  using opened = checkpoint
  const graph = buildDecoderGraph({
    config,
    tensors: opened.tensors,
    locate: (file) => file,
    widening: 'per-run',
    prepared: { placement: createPlacement(), location: 'prepared' },
  })
  const map = planDeviceMap({ config, tensors: opened.tensors.values(), machine, widening: 'per-run' })
  expect(map.stages.reduce((sum, { weightBytes }) => sum + weightBytes, 0)).toBe(graph.weightBytes)
  expect(map.devices[0]?.predicted.weightBytes).toBe(graph.weightBytes)
  const layers = map.stages.filter(({ kind }) => kind === 'layer')
  expect(layers).toHaveLength(config.numHiddenLayers)
  expect(layers.every(({ weightBytes }) => weightBytes > 0)).toBe(true)
})

test.each(['multi-query', 'family-mixtral', 'family-deepseek-v3', 'family-lfm2'])(
  'a configuration alone is planned as its checkpoint is: %s',
  async (name) => {
    const { config, checkpoint } = await readModel(resolve(fixtures, name))
    using opened = checkpoint
    const dtype = [...opened.tensors.values()][0]?.dtype === 'BF16' ? 'BF16' : 'F32'
    const imagined = imaginedTensors(config, { dtype, packed: null })
    const of = (tensors: Iterable<TensorSize>) => planDeviceMap({ config, tensors, machine, format: 'quality' })
    expect(of(imagined.values())).toEqual(of(opened.tensors.values()))
  },
)

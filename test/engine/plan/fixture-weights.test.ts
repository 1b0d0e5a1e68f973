// The planner's weights against the graph's, for every family: windows, latent attention, experts, tied heads, leftovers. Fixtures: test/fixtures/make_models.py.
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { buildDecoderGraph } from '../../../engine/graph/decoder'
import { createPlacement } from '../../../engine/prepared/placement'
import { planDeviceMap } from '../../../engine/plan/plan-device-map'
import type { MachineDescription } from '../../../engine/plan/types'
import { readModel } from '../runtime/golden-model'

const fixtures = resolve(import.meta.dirname, '../../fixtures/models')
const machine: MachineDescription = { devices: [{ id: 'cpu', kind: 'cpu', name: 'a CPU', totalBytes: 2 ** 30, freeBytes: 2 ** 30 }] }

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

// Decoders against Transformers: logits of every position and greedy ids, on both bindings.
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasReference, referencePath } from '../../support/reference'
import { greedyIds, loadModelFolder, maxDifference, readGolden, standardDeviation } from './golden-model'

const fixtures = resolve(import.meta.dirname, '../../fixtures/models')
// Folders of other families have a test of their own (families.test.ts), and so has the one whose cache has to begin anew (longrope-crossing.test.ts).
const own = readdirSync(fixtures)
  .filter((name) => !name.startsWith('family-') && name !== 'rope-longrope-crossing')
  .map((name) => ({ name, directory: resolve(fixtures, name) }))
const reference = ['llama', 'llama3-rope', 'mistral'].map((name) => ({
  name: `reference ${name}`,
  directory: referencePath('models', name),
}))

/** Relative to the spread of the logits, in float32 (docs/decisions: numeric tolerances). */
const TOLERANCE = 1e-4

describe.each(['c-api', 'node-binding'] as const)('through the %s', (runtime) => {
  const check = async ({ directory }: { readonly directory: string }): Promise<void> => {
    const golden = await readGolden(directory)
    using model = await loadModelFolder(directory, { runtime })
    expect(model.runtimeKind).toBe(runtime)
    using cache = model.createCache({ capacityTokens: golden.inputIds.length + golden.greedyIds.length })
    const logits = await model.forward({ ids: golden.inputIds, cache, logits: 'all' })
    expect(maxDifference(logits, golden.logits) / standardDeviation(golden.logits)).toBeLessThan(TOLERANCE)
    cache.truncate(0)
    expect(await greedyIds(model, { cache, promptIds: golden.inputIds, count: golden.greedyIds.length })).toEqual(golden.greedyIds)
  }

  test.each(own)('$name has the logits and greedy ids of Transformers', check)
  test.skipIf(!hasReference).each(reference)('$name has the logits and greedy ids of Transformers', check)

  test.each(['bf16', 'f16-tied', 'bf16-tied-sharded'])(
    '%s gives the same logits whether it is widened at load or in every run',
    async (name) => {
      const directory = resolve(fixtures, name)
      const { inputIds } = await readGolden(directory)
      const run = async (widening: 'at-load' | 'per-run'): Promise<Float32Array> => {
        using model = await loadModelFolder(directory, { runtime, widening })
        using cache = model.createCache({ capacityTokens: inputIds.length })
        return await model.forward({ ids: inputIds, cache, logits: 'all' })
      }
      expect(await run('per-run')).toEqual(await run('at-load'))
    },
  )
})

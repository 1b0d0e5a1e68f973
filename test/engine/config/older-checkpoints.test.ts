// Checkpoints that say the same in other places or under other names: quantization beside config.json, and MLX's stacked experts.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import type { TensorInfo } from '../../../engine/checkpoint/types'
import { openModelCheckpoint } from '../../../engine/config/open-model-checkpoint'
import { openDecoder } from '../../../engine/generate/open-decoder'
import { safetensorsFile, type TensorToWrite } from '../../support/safetensors-writer'
import { temporaryFolder } from '../../support/temporary-folder'
import { maxDifference, readGolden, standardDeviation } from '../runtime/golden-model'

const fixtures = resolve(import.meta.dirname, '../../fixtures')
const TOLERANCE = 1e-4

function readJson(path: string): Record<string, unknown> {
  const json: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (typeof json !== 'object' || json === null) throw new Error(`${path} is no object`)
  return { ...json }
}

async function differenceFromGolden(directory: string, golden: string): Promise<number> {
  const { inputIds, logits } = await readGolden(golden)
  using prepared = temporaryFolder()
  using decoder = (await openDecoder(directory, { format: 'f32', prepared: { folder: prepared.path } })).decoder
  using cache = decoder.createCache({ capacityTokens: inputIds.length })
  return maxDifference(await decoder.forward({ ids: inputIds, cache, logits: 'all' }), logits) / standardDeviation(logits)
}

describe('quantization in a file of its own', () => {
  it.each([
    [
      'gptq-4bit',
      'quantize_config.json',
      { bits: 4, group_size: 32, damp_percent: 0.01, desc_act: false, sym: false, true_sequential: true },
    ],
    ['awq', 'quant_config.json', { zero_point: true, q_group_size: 32, w_bit: 4, version: 'GEMM' }],
  ])('is read as config.json would say it: %s in %s', async (fixture, file, quantization) => {
    using folder = temporaryFolder()
    const source = join(fixtures, 'quantized', fixture)
    cpSync(source, folder.path, { recursive: true })
    const { quantization_config: _, ...config } = readJson(join(source, 'config.json'))
    folder.write('config.json', JSON.stringify(config))
    folder.write(file, JSON.stringify(quantization))
    expect(await differenceFromGolden(folder.path, source)).toBeLessThan(TOLERANCE)
  })

  it('does not overrule config.json, and must be an object', async () => {
    using folder = temporaryFolder()
    const source = join(fixtures, 'quantized', 'gptq-4bit')
    cpSync(source, folder.path, { recursive: true })
    folder.write('quantize_config.json', '[]')
    using _ = await openModelCheckpoint({ directory: folder.path, path: folder.path })
    const { quantization_config: __, ...config } = readJson(join(source, 'config.json'))
    writeFileSync(join(folder.path, 'config.json'), JSON.stringify(config))
    await expect(openModelCheckpoint({ directory: folder.path, path: folder.path })).rejects.toMatchObject({ code: 'config/not-an-object' })
  })
})

/** The experts of a folder stacked as MLX has them; everything else as it is. */
async function stacked(source: string, target: string): Promise<void> {
  using checkpoint = await openCheckpoint(source)
  const names: Record<string, string> = { w1: 'gate_proj', w2: 'down_proj', w3: 'up_proj' }
  const groups = new Map<string, TensorInfo[]>()
  for (const tensor of checkpoint.tensors.values()) {
    const found = /^(.+)\.experts\.\d+\.([^.]+)\.weight$/.exec(tensor.name)
    const name = found === null ? tensor.name : `${found[1]}.switch_mlp.${names[found[2] ?? ''] ?? found[2]}.weight`
    groups.set(name, [...(groups.get(name) ?? []), tensor])
  }
  const tensors: TensorToWrite[] = []
  for (const [name, parts] of groups) {
    const [first] = parts
    if (first === undefined) continue
    const numbered = parts.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
    const bytes = Buffer.concat(await Promise.all(numbered.map((part) => checkpoint.read(part.name))))
    tensors.push({ name, dtype: first.dtype, shape: first.name === name ? first.shape : [parts.length, ...first.shape], bytes })
  }
  cpSync(source, target, { recursive: true })
  rmSync(join(target, 'model.safetensors.index.json'), { force: true })
  writeFileSync(join(target, 'model.safetensors'), safetensorsFile(tensors))
}

describe("MLX's stacked experts", () => {
  it.each(['family-qwen3-moe', 'family-mixtral'])('compute as those of %s', async (family) => {
    using folder = temporaryFolder()
    const source = join(fixtures, 'models', family)
    await stacked(source, folder.path)
    using raw = await openCheckpoint(folder.path)
    expect([...raw.tensors.keys()].some((name) => name.includes('.switch_mlp.'))).toBe(true)
    expect(await differenceFromGolden(folder.path, source)).toBeLessThan(TOLERANCE)
  })
})

// State dicts saved from memory: the fixtures' tensors under the names of the running model, experts stacked, give the same logits.
import { copyFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { safetensorsFile, type TensorToWrite } from '../../support/safetensors-writer'
import { temporaryFolder } from '../../support/temporary-folder'
import { loadModelFolder, maxDifference, readGolden, standardDeviation } from '../runtime/golden-model'

const fixtures = resolve(import.meta.dirname, '../../fixtures/models')

/** One expert's matrix: the block it lies in, the expert's number, and which matrix it is. */
const EXPERT = /^(.+)\.(?:block_sparse_moe|mlp)\.experts\.(\d+)\.(gate_proj|up_proj|down_proj|w1|w2|w3)\.weight$/

const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/block_sparse_moe\.gate\./, 'mlp.gate.'],
  [/block_sparse_moe\.input_linear\.weight/, 'block_sparse_moe.experts.gate_up_proj'],
  [/block_sparse_moe\.output_linear\.weight/, 'block_sparse_moe.experts.down_proj'],
  [/block_sparse_moe\.router\.layer\./, 'block_sparse_moe.router.'],
  [/^embed_out\./, 'lm_head.'],
]

/** Parts of one tensor by their place along its new first axis. */
interface Stack {
  readonly parts: Map<number, TensorToWrite>
}

function stacked(name: string, { parts }: Stack, experts: number): TensorToWrite {
  const sorted = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part)
  const [first] = sorted
  if (first === undefined) throw new Error(`nothing to stack for ${name}`)
  const [rows = 0, columns = 0] = first.shape
  const bytes = new Uint8Array(sorted.reduce((sum, part) => sum + part.bytes.length, 0))
  sorted.reduce((at, part) => (bytes.set(part.bytes, at), at + part.bytes.length), 0)
  return { name, dtype: first.dtype, shape: [experts, (sorted.length / experts) * rows, columns], bytes }
}

/** The tensors of a checkpoint as `torch.save(model.state_dict())` of the running model would name them. */
function asRunning(tensors: readonly TensorToWrite[]): readonly TensorToWrite[] {
  const kept: TensorToWrite[] = []
  const stacks = new Map<string, Stack>()
  let experts = 0
  for (const tensor of tensors) {
    const [, layer, index, matrix] = EXPERT.exec(tensor.name) ?? []
    if (layer === undefined || index === undefined || matrix === undefined) {
      kept.push({ ...tensor, name: RENAMED.reduce((name, [from, to]) => name.replace(from, to), tensor.name) })
      continue
    }
    experts = Math.max(experts, Number(index) + 1)
    const isDown = matrix === 'down_proj' || matrix === 'w2'
    const isUp = matrix === 'up_proj' || matrix === 'w3'
    const name = `${layer}.mlp.experts.${isDown ? 'down_proj' : 'gate_up_proj'}`
    const stack = stacks.get(name) ?? { parts: new Map<number, TensorToWrite>() }
    stack.parts.set(isDown ? Number(index) : 2 * Number(index) + (isUp ? 1 : 0), tensor)
    stacks.set(name, stack)
  }
  return [...kept, ...[...stacks].map(([name, stack]) => stacked(name, stack, experts))]
}

test.each(['mixtral', 'qwen2-moe', 'qwen3-moe', 'olmoe', 'granitemoe', 'glm4-moe', 'deepseek-v3', 'gpt-neox-sequential'])(
  '%s runs under the names of the model in memory',
  async (family) => {
    const directory = join(fixtures, `family-${family}`)
    using folder = temporaryFolder()
    using checkpoint = await openCheckpoint(directory)
    const tensors: TensorToWrite[] = []
    for (const { name, dtype, shape } of checkpoint.tensors.values())
      tensors.push({ name, dtype, shape, bytes: await checkpoint.read(name) })
    const running = asRunning(tensors)
    expect(running.map(({ name }) => name)).not.toEqual(tensors.map(({ name }) => name))
    folder.write('model.safetensors', safetensorsFile(running, { format: 'pt' }))
    copyFileSync(join(directory, 'config.json'), join(folder.path, 'config.json'))

    const golden = await readGolden(directory)
    using model = await loadModelFolder(folder.path)
    expect(model.notes).toEqual([])
    using cache = model.createCache({ capacityTokens: golden.inputIds.length })
    const logits = await model.forward({ ids: golden.inputIds, cache, logits: 'all' })
    expect(maxDifference(logits, golden.logits) / standardDeviation(golden.logits)).toBeLessThan(1e-4)
  },
)

// Experts that MLX stacks into one tensor for each projection (mlx-lm, switch_layers.py) under the names of the checkpoint they were converted from: one tensor for each expert.
import { renameCheckpoint, type RenamedTensor } from './renamed'
import type { Checkpoint } from './types'

/** The stack, its projection and what it holds: `….switch_mlp.gate_proj.weight`. */
const STACKED = /^(.+)\.switch_mlp\.(gate_proj|up_proj|down_proj)\.(weight|bias)$/

/** No published mixture has more experts in a layer than 512. */
const MAX_EXPERTS = 4096

/** Mixtral's own names for the projections of an expert. */
const MIXTRAL: Readonly<Record<string, string>> = { gate_proj: 'w1', down_proj: 'w2', up_proj: 'w3' }

/** Shows each expert of MLX's stacks as a tensor of its own, `experts.<number>` in the place of `switch_mlp`; other checkpoints are returned as they are. */
export function unstackExperts(checkpoint: Checkpoint): Checkpoint {
  const names = new Map<string, RenamedTensor>()
  let found = false
  for (const { name, shape } of checkpoint.tensors.values()) {
    const [, block, projection, part] = STACKED.exec(name) ?? []
    const [count = 0] = shape
    if (block === undefined || projection === undefined || shape.length < 2 || count < 1 || count > MAX_EXPERTS) {
      names.set(name, { source: name })
      continue
    }
    found = true
    const own = block.endsWith('.block_sparse_moe') ? MIXTRAL[projection] : projection
    for (let index = 0; index < count; index++)
      names.set(`${block}.experts.${index}.${own}.${part}`, { source: name, part: { index, count } })
  }
  return found ? renameCheckpoint(checkpoint, names) : checkpoint
}

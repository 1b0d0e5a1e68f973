// Which tensor goes into which file of a sharded checkpoint, and the index over them. Follows huggingface_hub 1.x (`split_state_dict_into_shards_factory`) and Transformers 5.18 (`save_pretrained`).
import type { OutputTensor } from './file-layout'

/** How the files of one format are called: `<stem><extension>`, shards `<stem>-00001-of-00002<extension>`. */
export interface ShardNaming {
  readonly stem: string
  readonly extension: string
}

/** One file and its tensors. */
export interface Shard {
  readonly file: string
  readonly tensors: readonly OutputTensor[]
}

/** Digits of a shard number in a file name; a checkpoint never has 100,000 shards. */
const SHARD_DIGITS = 5

/**
 * Splits tensors into shards in their own order. Invariants: every tensor is in exactly one shard; the tensor bytes of a shard are at most
 * `maxShardBytes` unless it holds a single tensor that is larger; no shard is empty.
 */
export function splitIntoShards(
  tensors: readonly OutputTensor[],
  options: { readonly maxShardBytes: number; readonly naming: ShardNaming },
): readonly Shard[] {
  const { maxShardBytes, naming } = options
  const groups: OutputTensor[][] = []
  let current: OutputTensor[] = []
  let currentBytes = 0
  for (const tensor of tensors) {
    // A tensor that no shard can hold gets one of its own, and the shard being filled goes on after it.
    if (tensor.sizeBytes > maxShardBytes) {
      groups.push([tensor])
      continue
    }
    if (currentBytes + tensor.sizeBytes > maxShardBytes) {
      groups.push(current)
      current = []
      currentBytes = 0
    }
    current.push(tensor)
    currentBytes += tensor.sizeBytes
  }
  if (current.length > 0) groups.push(current)
  return groups.map((group, index) => ({ file: shardName(naming, { number: index + 1, count: groups.length }), tensors: group }))
}

function shardName({ stem, extension }: ShardNaming, shard: { readonly number: number; readonly count: number }): string {
  if (shard.count === 1) return `${stem}${extension}`
  const digits = (value: number): string => String(value).padStart(SHARD_DIGITS, '0')
  return `${stem}-${digits(shard.number)}-of-${digits(shard.count)}${extension}`
}

/** Whether a file name is one that a checkpoint of this naming has: the single file, a shard, or the index. */
export function isShardName(name: string, { stem, extension }: ShardNaming): boolean {
  if (!name.startsWith(stem)) return false
  const rest = name.slice(stem.length)
  if (rest === extension || rest === `${extension}.index.json`) return true
  return rest.endsWith(extension) && /^-\d{5}-of-\d{5}$/.test(rest.slice(0, -extension.length))
}

/** The index of a sharded checkpoint as JSON text, keys sorted as `save_pretrained` sorts them. `total_size` counts shared bytes once. */
export function shardIndexText(shards: readonly Shard[], totals: { readonly parameters: number }): string {
  const tensors = shards.flatMap((shard) => shard.tensors)
  const weightMap = shards
    .flatMap(({ file, tensors: held }) => held.flatMap(({ name, aliases }) => [name, ...aliases].map((key) => [key, file] as const)))
    .sort(([left], [right]) => (left < right ? -1 : 1))
  // Written by hand because an object would move names like "0" to the front.
  const lines = weightMap.map(([key, file]) => `    ${JSON.stringify(key)}: ${JSON.stringify(file)}`)
  const totalSizeBytes = tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return [
    '{',
    '  "metadata": {',
    `    "total_parameters": ${totals.parameters},`,
    `    "total_size": ${totalSizeBytes}`,
    '  },',
    '  "weight_map": {',
    lines.join(',\n'),
    '  }',
    '}',
    '',
  ].join('\n')
}

// The index of a sharded checkpoint (model.safetensors.index.json): which shard holds which tensor. Follows Transformers 5.18 (`get_checkpoint_shard_files`).
import { isJsonObject, readJsonFile } from '../bytes/json'
import { engineError } from '../errors'

/** 32 times the index of the largest public model (8 MB for 91,991 tensors). */
const MAX_INDEX_BYTES = 256 * 1024 * 1024

/** A checked index: tensor name to shard file name, and the total of tensor bytes where the file states it. */
export interface ShardIndex {
  readonly path: string
  readonly weightMap: ReadonlyMap<string, string>
  /** Shard names in order of first mention. */
  readonly shards: readonly string[]
  readonly totalSizeBytes: number | null
}

/** Shards are plain files beside the index (or below it): anything else could name a file the user never meant to open. */
function isSafeShardName(name: string): boolean {
  if (name.length > 1024 || /[\\:]|\p{Cc}/u.test(name)) return false
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

/** Reads and checks an index. Throws "checkpoint/malformed-index", "checkpoint/unsafe-shard-path" and what readJsonFile throws. */
export async function readShardIndex(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<ShardIndex> {
  const json = await readJsonFile(path, { maxBytes: MAX_INDEX_BYTES, ...options })
  const malformed = (reason: string) => engineError('checkpoint/malformed-index', { path, reason })
  if (!isJsonObject(json)) throw malformed('it is not an object')
  const map = json['weight_map']
  if (!isJsonObject(map)) throw malformed('it has no weight_map')
  const weightMap = new Map<string, string>()
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== 'string') throw malformed(`the shard of tensor ${tensor.slice(0, 200)} is not a file name`)
    if (!isSafeShardName(shard)) throw engineError('checkpoint/unsafe-shard-path', { path, shard: shard.slice(0, 200) })
    weightMap.set(tensor, shard)
  }
  if (weightMap.size === 0) throw malformed('its weight_map is empty')
  const metadata = json['metadata']
  const total = isJsonObject(metadata) ? metadata['total_size'] : undefined
  return { path, weightMap, shards: [...new Set(weightMap.values())], totalSizeBytes: typeof total === 'number' ? total : null }
}

// Names of the result: prefixes removed, names of the same bytes brought together.
import type { Checkpoint, TensorInfo } from '../checkpoint/types'
import { engineError } from '../errors'
import type { ConversionRequest } from './types'

/** What nn.DataParallel, DistributedDataParallel, torch.compile and FSDP put in front of the names of the model they wrap. */
const WRAPPER_PREFIXES = ['module.', '_orig_mod.', '_fsdp_wrapped_module.'] as const

/** Modules that produce the scores: of two tied names theirs is the one that readers can do without. */
const OUTPUT_HEAD = /(^|\.)(lm_head|output|embed_out|output_layer)\.weight$/

function withoutWrappers(names: readonly string[]): readonly string[] {
  let current = names
  for (;;) {
    // Only what is in front of every name wraps the model; anything else is one of its parts.
    const prefix = WRAPPER_PREFIXES.find((candidate) => current.every((name) => name.startsWith(candidate) && name !== candidate))
    if (prefix === undefined) return current
    current = current.map((name) => name.slice(prefix.length))
  }
}

function withoutPrefix(names: readonly string[], prefix: string): readonly string[] {
  const renamed = names.map((name) => (name.startsWith(prefix) && name !== prefix ? name.slice(prefix.length) : name))
  if (renamed.every((name, index) => name === names[index])) throw engineError('convert/prefix-not-found', { prefix, count: names.length })
  return renamed
}

/** Result name of every source name. Throws "convert/prefix-not-found" and "convert/name-collision". */
export function resultNames(names: readonly string[], stripPrefix: ConversionRequest['stripPrefix']): ReadonlyMap<string, string> {
  if (stripPrefix === undefined) return new Map(names.map((name) => [name, name]))
  const renamed = stripPrefix === 'wrappers' ? withoutWrappers(names) : withoutPrefix(names, stripPrefix.prefix)
  const owners = new Map<string, string>()
  const result = new Map<string, string>()
  for (const [index, name] of names.entries()) {
    const short = renamed[index] ?? name
    const first = owners.get(short)
    if (first !== undefined) throw engineError('convert/name-collision', { name: short, first, second: name })
    owners.set(short, name)
    result.set(name, short)
  }
  return result
}

/** Where a tensor's bytes lie, when another tensor can lie there too. */
function placeOf(tensor: TensorInfo): string | null {
  if (tensor.storage === 'computed' || tensor.sizeBytes === 0) return null
  return `${tensor.offsetBytes} ${tensor.sizeBytes} ${tensor.dtype} ${tensor.shape.join(',')} ${tensor.file}`
}

/** Names that share their bytes, the one to be written first. */
export interface TiedNames {
  readonly tensor: TensorInfo
  readonly names: readonly string[]
}

/**
 * The checkpoint's tensors, each with all its names, in file order: names over the same bytes, and names that the metadata of a
 * safetensors file records as left out (alias: name, as `safetensors.torch.save_model` writes them).
 */
export function groupTiedTensors(checkpoint: Checkpoint): readonly TiedNames[] {
  const recorded = recordedAliases(checkpoint)
  const groups = new Map<string, { tensor: TensorInfo; names: string[] }>()
  for (const tensor of checkpoint.tensors.values()) {
    const names = [tensor.name, ...(recorded.get(tensor.name) ?? [])]
    const key = placeOf(tensor) ?? `${groups.size}`
    const group = groups.get(key)
    if (group) group.names.push(...names)
    else groups.set(key, { tensor, names })
  }
  return [...groups.values()].map(({ tensor, names }) => {
    const kept = names.find((name) => checkpoint.tensors.has(name) && !OUTPUT_HEAD.test(name)) ?? tensor.name
    return { tensor: checkpoint.tensors.get(kept) ?? tensor, names: [kept, ...names.filter((name) => name !== kept)] }
  })
}

function recordedAliases(checkpoint: Checkpoint): ReadonlyMap<string, readonly string[]> {
  const recorded = new Map<string, string[]>()
  if (checkpoint.format !== 'safetensors') return recorded
  for (const [alias, name] of Object.entries(checkpoint.metadata)) {
    if (!checkpoint.tensors.has(name) || checkpoint.tensors.has(alias)) continue
    recorded.set(name, [...(recorded.get(name) ?? []), alias])
  }
  return recorded
}

/** Metadata that says something other than which names are tied. */
export function plainMetadata(checkpoint: Checkpoint): Readonly<Record<string, string>> {
  const aliases = new Set([...recordedAliases(checkpoint).values()].flat())
  return Object.fromEntries(Object.entries(checkpoint.metadata).filter(([key]) => !aliases.has(key)))
}

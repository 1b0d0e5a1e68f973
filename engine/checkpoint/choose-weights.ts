// Which files of a folder are its weights. Names and their order follow Transformers 5.18 (`_get_resolved_checkpoint_files`): safetensors first, then PyTorch, then the rest.
import { basename, join, relative } from 'node:path'
import { engineError } from '../errors'
import { detectFileKind, FILE_KIND_NAMES, isArchiveKind, type FileKind } from './file-kind'
import { chooseOnnxVariant } from './onnx/variants'
import { nameSome, note, type Note } from '../notes'

/** What to open: one file, a set of shards with or without an index, or the folder as a TensorFlow one. */
export type WeightChoice =
  | { readonly kind: 'file' | 'index'; readonly name: string; readonly notes: readonly Note[] }
  | { readonly kind: 'shards'; readonly names: readonly string[]; readonly notes: readonly Note[] }
  | { readonly kind: 'tensorflow' }

const SHARD_NAME = /^(.*)-(\d{5})-of-(\d{5})(\.[a-z]+)$/

/** Names worth looking into when a folder has no .safetensors; others (pictures, text) are never opened. */
const WEIGHT_NAME = /\.(bin|pt|pth|ckpt|gguf|ggml|h5|hdf5|keras|onnx|msgpack|npz|npy|pb|index|pkl|tar)$|\.data-\d+-of-\d+$/i

/** What trainers save beside the weights. */
const TRAINING_STATE =
  /^(training_args\.bin|optimizer(_\d+)?\.(pt|bin)|scheduler\.pt|scaler\.pt|rng_state(_\d+)?\.pth|random_states_\d+\.pkl)$/

/** Groups of kinds in the order in which a folder's formats are tried, each with the name that is taken where several lie side by side. */
const GROUPS: readonly { readonly kinds: readonly FileKind[]; readonly preferred: string }[] = [
  { kinds: ['pytorch-zip', 'pickle', 'tar'], preferred: 'pytorch_model.bin' },
  { kinds: ['gguf'], preferred: 'model.gguf' },
  { kinds: ['tensorflow-saved-model', 'tensorflow-checkpoint'], preferred: 'saved_model.pb' },
  { kinds: ['hdf5'], preferred: 'tf_model.h5' },
  { kinds: ['flax-msgpack'], preferred: 'flax_model.msgpack' },
  { kinds: ['onnx'], preferred: 'model.onnx' },
  { kinds: ['numpy-npz', 'numpy-npy'], preferred: 'weights.npz' },
  { kinds: ['llama2c'], preferred: 'model.bin' },
  { kinds: ['ggml'], preferred: 'ggml-model.bin' },
]

/** Names under which Transformers, Keras, Flax and ONNX exporters write a whole model: what bears one is the model, whatever other safetensors lie beside it. */
const STANDARD_NAME =
  /^(pytorch_model(-\d{5}-of-\d{5})?\.bin|pytorch_model\.bin\.index\.json|tf_model\.h5|flax_model\.msgpack|model(_\w+)?\.onnx|genai_config\.json|saved_model\.pb)$/

/** Whether a folder's safetensors are its model: they bear a standard name or an index names them, or nothing else in the folder does. */
export function safetensorsAreTheModel(names: readonly string[]): boolean {
  const own = names.filter((name) => name.endsWith('.safetensors'))
  const indexed = names.some((name) => name.endsWith('.safetensors.index.json'))
  if (indexed || own.includes('model.safetensors') || own.some((name) => SHARD_NAME.test(name))) return true
  const isGgufFolder = !names.includes('config.json') && names.some((name) => name.toLowerCase().endsWith('.gguf'))
  return own.length > 0 && !isGgufFolder && !names.some((name) => STANDARD_NAME.test(name))
}

/** Which shard of how many a name says it is; null where it says nothing. */
export function shardOfName(name: string): { readonly index: number; readonly count: number } | null {
  const match = SHARD_NAME.exec(name)
  return match ? { index: Number(match[2]), count: Number(match[3]) } : null
}

/** All names of the set that `names` are shards of; null when they are not shards of one set. The number is five digits, so the count is at most 99,999. */
function shardSet(names: readonly string[]): readonly string[] | null {
  const first = SHARD_NAME.exec(names[0] ?? '')
  if (!first) return null
  const [, stem = '', , count = '', extension = ''] = first
  const expected = Array.from(
    { length: Number(count) },
    (_, index) => `${stem}-${String(index + 1).padStart(5, '0')}-of-${count}${extension}`,
  )
  const known = new Set(expected)
  return names.every((name) => known.has(name)) ? expected : null
}

function onlyOrPreferred(indexes: readonly string[], preferred: string): string | undefined {
  if (indexes.includes(preferred)) return preferred
  return indexes.length === 1 ? indexes[0] : undefined
}

/** Chooses among files of one format; null where nothing ties them together. */
function chooseAmong(
  weights: readonly string[],
  options: { readonly indexes: readonly string[]; readonly preferred: string; readonly extension: string },
): WeightChoice | null {
  const { preferred, extension } = options
  if (weights.includes(preferred)) {
    const others = weights.length - 1
    const notes = others > 0 ? [note('checkpoint/other-files-not-opened', { file: preferred, count: others, format: extension })] : []
    return { kind: 'file', name: preferred, notes }
  }
  const index = onlyOrPreferred(options.indexes, `${preferred}.index.json`)
  if (index !== undefined) return { kind: 'index', name: index, notes: [] }
  const shards = shardSet(weights)
  if (shards) return { kind: 'shards', names: shards, notes: [note('checkpoint/shards-without-index')] }
  const [only] = weights
  return only !== undefined && weights.length === 1 ? { kind: 'file', name: only, notes: [] } : null
}

async function detectKinds(directory: string, names: readonly string[]): Promise<ReadonlyMap<string, FileKind>> {
  const kinds = new Map<string, FileKind>()
  for (const name of names) kinds.set(name, await detectFileKind(join(directory, name)))
  return kinds
}

/** The parts of a split GGUF are opened by the first of them. */
function chooseGguf(weights: readonly string[]): WeightChoice | null {
  const [first = ''] = weights
  return shardSet(weights) ? { kind: 'file', name: first, notes: [] } : null
}

/** The decoder among a folder's ONNX files, or in its folder `onnx`. */
async function chooseExport(directory: string): Promise<WeightChoice | null> {
  const choice = await chooseOnnxVariant(directory)
  if (choice === null) return null
  const others = choice.others.map(({ path }) => basename(path))
  const notes = others.length === 0 ? [] : [note('checkpoint/other-variants-not-opened', { files: nameSome(others) })]
  return { kind: 'file', name: relative(directory, choice.chosen.path), notes: [...choice.notes, ...notes] }
}

async function chooseOtherFormat(directory: string, names: readonly string[]): Promise<WeightChoice> {
  const candidates = names.filter((name) => WEIGHT_NAME.test(name) && !TRAINING_STATE.test(name)).sort()
  const kinds = await detectKinds(directory, candidates)
  const indexes = names.filter((name) => /\.(bin|pt|pth|ckpt)\.index\.json$/.test(name)).sort()
  for (const { kinds: group, preferred } of GROUPS) {
    const weights = candidates.filter((name) => group.includes(kinds.get(name) ?? 'unknown'))
    const isTorch = preferred === 'pytorch_model.bin'
    if (weights.length === 0 && !(isTorch && indexes.length > 0)) continue
    if (preferred === 'saved_model.pb') return { kind: 'tensorflow' }
    const exported = preferred === 'model.onnx' ? await chooseExport(directory) : null
    if (exported !== null) return exported
    const others = [...kinds].filter(([name, kind]) => !weights.includes(name) && GROUPS.some((other) => other.kinds.includes(kind)))
    const choice =
      (preferred === 'model.gguf' ? chooseGguf(weights) : null) ??
      chooseAmong(weights, { indexes: isTorch ? indexes : [], preferred, extension: FILE_KIND_NAMES[group[0] ?? 'unknown'] })
    if (choice === null) throw engineError('checkpoint/ambiguous-weights', { directory, files: weights })
    if (choice.kind === 'tensorflow' || others.length === 0) return choice
    return {
      ...choice,
      notes: [...choice.notes, note('checkpoint/other-formats-not-opened', { files: nameSome(others.map(([name]) => name)) })],
    }
  }
  const exported = await chooseExport(directory)
  if (exported !== null) return exported
  // What stands in the place of the weights (a pointer of Git LFS, an error page, nothing at all) is named when it is opened.
  const isImpostor = (kind: FileKind): boolean => ['html', 'lfs-pointer', 'empty'].includes(kind) || isArchiveKind(kind)
  const impostor = candidates.find((name) => isImpostor(kinds.get(name) ?? 'unknown'))
  if (impostor !== undefined) return { kind: 'file', name: impostor, notes: [] }
  throw engineError('checkpoint/no-weights', { directory })
}

/** Chooses the weights among the files `names` of a folder. Throws "checkpoint/no-weights", "checkpoint/ambiguous-weights" and what detectFileKind throws. */
export async function chooseWeights(directory: string, names: readonly string[]): Promise<WeightChoice> {
  const weights = names.filter((name) => name.endsWith('.safetensors')).sort()
  const indexes = names.filter((name) => name.endsWith('.safetensors.index.json')).sort()
  if (!safetensorsAreTheModel(names)) return chooseOtherFormat(directory, names)
  const choice = chooseAmong(weights, { indexes, preferred: 'model.safetensors', extension: '.safetensors' })
  if (choice === null) throw engineError('checkpoint/ambiguous-weights', { directory, files: weights })
  return choice
}

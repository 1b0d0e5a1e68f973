// Which part of a model lies where in its files, small enough to be drawn.
import type { TensorInfo } from '../../../../engine/checkpoint/types'
import type { ShardMap, ShardSegment } from '../../../../preload/contract'

/** Files drawn; a checkpoint of more is very rare, and a picture of them unreadable. */
const MAX_FILES = 200
/** Segments drawn in one file: each is a few pixels wide. */
const MAX_SEGMENTS = 120

interface Part {
  readonly kind: ShardSegment['kind']
  readonly label: string
  readonly layer: number | null
}

/** Names of the lists of layers, in the families' own words. */
const LAYER = /(?:^|\.)(?:layers|h|blocks|block|blk|decoder_layers|layer)[._](\d+)(?:\.|$)/
const EMBEDDING = /(?:^|[._])(?:embed|wte|wpe|tok_embeddings|token_embd|word_embeddings|position_embd)/
const HEAD = /(?:^|\.)(?:lm_head|output|embed_out|head)\.(?:weight|bias)$/
const NORM = /(?:^|[._])(?:norm|ln_f|layernorm|output_norm|final_layer_norm)/i

/** Which part of a model a tensor belongs to, by its name. */
function partOf(name: string): Part {
  const layer = LAYER.exec(name)?.[1]
  if (layer !== undefined) return { kind: 'layer', label: layer, layer: Number(layer) }
  if (EMBEDDING.test(name)) return { kind: 'embedding', label: '', layer: null }
  if (HEAD.test(name)) return { kind: 'head', label: '', layer: null }
  if (NORM.test(name)) return { kind: 'norm', label: '', layer: null }
  return { kind: 'other', label: '', layer: null }
}

function placeOf(tensor: TensorInfo): number | null {
  if (tensor.storage === 'computed') return tensor.block?.offsetBytes ?? null
  return tensor.offsetBytes
}

/** Bytes that the tensor takes in its file, as far as that is known. */
function storedBytes(tensor: TensorInfo): number {
  return tensor.storage === 'computed' ? (tensor.block?.sizeBytes ?? tensor.sizeBytes) : tensor.sizeBytes
}

function segmentsOf(tensors: readonly TensorInfo[]): readonly ShardSegment[] {
  // Where places are unknown the order of the checkpoint stands for them.
  const placed = tensors.map((tensor) => ({ tensor, place: placeOf(tensor) ?? 0 })).toSorted((a, b) => a.place - b.place)
  const segments: ShardSegment[] = []
  for (const { tensor } of placed) {
    const part = partOf(tensor.name)
    const last = segments.at(-1)
    const sizeBytes = storedBytes(tensor)
    if (last !== undefined && last.kind === part.kind && last.layer === part.layer) {
      segments[segments.length - 1] = { ...last, sizeBytes: last.sizeBytes + sizeBytes, tensors: last.tensors + 1 }
    } else segments.push({ ...part, sizeBytes, tensors: 1 })
  }
  return segments
}

/** Joins neighbours until few enough are left; a joined segment of several layers says from where to where. */
function simplify(segments: readonly ShardSegment[]): readonly ShardSegment[] {
  const perGroup = Math.ceil(segments.length / MAX_SEGMENTS)
  const joined: ShardSegment[] = []
  for (let start = 0; start < segments.length; start += perGroup) {
    const group = segments.slice(start, start + perGroup)
    const [first] = group
    const last = group.at(-1)
    if (first === undefined || last === undefined) continue
    const sum = (pick: (segment: ShardSegment) => number): number => group.reduce((total, segment) => total + pick(segment), 0)
    const isOneKind = group.every(({ kind }) => kind === first.kind)
    const label = isOneKind && first.layer !== last.layer ? `${first.label}–${last.label}` : first.label
    joined.push({
      kind: isOneKind ? first.kind : 'other',
      label: isOneKind ? label : '',
      layer: first.layer === last.layer ? first.layer : null,
      sizeBytes: sum(({ sizeBytes }) => sizeBytes),
      tensors: sum(({ tensors }) => tensors),
    })
  }
  return joined
}

/** Draws the map of `files`, whose tensors name them by path. */
export function buildShardMap(
  files: readonly { readonly path: string; readonly name: string; readonly sizeBytes: number }[],
  tensors: Iterable<TensorInfo>,
): ShardMap {
  const byFile = new Map<string, TensorInfo[]>(files.slice(0, MAX_FILES).map(({ path }) => [path, []]))
  for (const tensor of tensors) byFile.get(tensor.file)?.push(tensor)
  let simplified = files.length > MAX_FILES
  const drawn = files.slice(0, MAX_FILES).map(({ path, name, sizeBytes }) => {
    const segments = segmentsOf(byFile.get(path) ?? [])
    if (segments.length <= MAX_SEGMENTS) return { name, sizeBytes, segments }
    simplified = true
    return { name, sizeBytes, segments: simplify(segments) }
  })
  return { files: drawn, simplified }
}

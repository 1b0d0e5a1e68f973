// The tensors of a family made from the parts of a recognised state dict: renamed, taken apart, put together, turned, and with rotary pairs in the order the family has them.
import type { Checkpoint, TensorInfo } from '../../checkpoint/types'
import { engineError } from '../../errors'
import { DTYPE_BITS, type Dtype } from '../../tensor/dtype'
import type { DerivedTensor } from '../derived-checkpoint'
import {
  doubleRows,
  isPlainFloat,
  joinColumns,
  regroupRows,
  reorderRows,
  rowsOf,
  sliceRows,
  stackRows,
  transposeRows,
  zeroRows,
  type Rows,
} from '../rows'
import type { TargetFamily } from './families'
import type { Recognised } from './recognise'
import {
  bodyKey,
  EXPERT_SLOTS,
  expertKey,
  isExpertSlot,
  layerKey,
  type BodySlot,
  type ExpertSlot,
  type LayerSlot,
  type Parameter,
} from './slots'

/** What taking projections apart needs to know. */
export interface AssemblyPlan {
  readonly checkpoint: Checkpoint
  readonly source: Recognised
  readonly family: TargetFamily
  readonly heads: number
  readonly keyValueHeads: number
  readonly headDim: number
  readonly experts: number
  readonly sharedExperts: number
  /** Whether matrices of the source lie as [in, out]. */
  readonly conv1d: boolean
  readonly tied: boolean
}

/** A tensor of the result: `from` says in words of the source's names what it is made of, and is unique. */
export interface AssembledTensor {
  readonly from: string
  readonly name: string
  readonly tensor: DerivedTensor
}

/** A parameter on its way, its matrices as [out, in]. `same` is set while it still is one tensor of the source. */
interface Piece {
  readonly from: string
  readonly rows: Rows
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly file: string
  readonly same: TensorInfo | null
}

const LINEAR: ReadonlySet<LayerSlot> = new Set<LayerSlot>([
  'query',
  'key',
  'value',
  'queryKeyValue',
  'attentionOutput',
  'gate',
  'up',
  'gateUp',
  'down',
  'router',
  'sharedWeight',
  ...EXPERT_SLOTS,
])

const changed = (piece: Piece, change: Partial<Piece> & Pick<Piece, 'rows'>): Piece => ({
  ...piece,
  ...change,
  shape: change.shape ?? [change.rows.count, ...piece.shape.slice(1)],
  same: null,
})

function transpose(piece: Piece): Piece {
  return changed(piece, { rows: transposeRows(piece.rows, piece.dtype), shape: piece.shape.toReversed() })
}

function select(piece: Piece, part: string, slices: readonly { readonly first: number; readonly count: number }[]): Piece {
  return changed(piece, { from: `${piece.from}[${part}]`, rows: stackRows(slices.map((slice) => sliceRows(piece.rows, slice))) })
}

/** Throws "convert/parts-differ" where matrices cannot stand on each other. */
function stack(pieces: readonly Piece[]): Piece | null {
  const [first, ...others] = pieces
  if (!first) return null
  for (const other of others)
    if (other.dtype !== first.dtype || other.rows.rowBytes !== first.rows.rowBytes)
      throw engineError('convert/parts-differ', { first: first.from, second: other.from })
  return changed(first, { from: pieces.map(({ from }) => from).join(' + '), rows: stackRows(pieces.map(({ rows }) => rows)) })
}

/** Matrices side by side. */
function besides(pieces: readonly Piece[]): Piece | null {
  const [first, ...others] = pieces
  if (!first) return null
  for (const other of others)
    if (other.dtype !== first.dtype || other.rows.count !== first.rows.count)
      throw engineError('convert/parts-differ', { first: first.from, second: other.from })
  const columns = pieces.reduce((sum, { shape }) => sum + (shape[1] ?? 0), 0)
  const rows = joinColumns(pieces.map((piece) => piece.rows))
  return changed(first, { from: pieces.map(({ from }) => from).join(' | '), rows, shape: [rows.count, columns] })
}

/** Every value twice as large, which is exact. Throws "convert/dtype-not-doubled" for dtypes that reach too short. */
function doubled(piece: Piece): Piece {
  const { rows, dtype } = piece
  if (!isPlainFloat(dtype)) throw engineError('convert/dtype-not-doubled', { tensor: piece.from, dtype })
  return changed(piece, { from: `${piece.from} doubled`, rows: doubleRows(rows, dtype), shape: piece.shape })
}

/** Neighbours (2i, 2i + 1) become halves (i, i + d/2), as Transformers rotates them. Source: Transformers 5.18, convert_llama_weights_to_hf.py `permute`. */
function toHalves(piece: Piece, headDim: number): Piece {
  const half = headDim / 2
  const sourceRow = (row: number): number => (row < half ? 2 * row : 2 * (row - half) + 1)
  return changed(piece, { rows: reorderRows(piece.rows, { groupRows: headDim, sourceRow }) })
}

/** Takes parts of the source out one by one. */
class Parts {
  readonly #plan: AssemblyPlan

  constructor(plan: AssemblyPlan) {
    this.#plan = plan
  }

  #piece(key: string, options: { readonly linear: boolean }): Piece | null {
    const { source, checkpoint, conv1d } = this.#plan
    const tensor = source.parts.get(key)?.tensor
    if (!tensor) return null
    const { name, dtype, shape, file } = tensor
    const piece = { from: name, rows: rowsOf(checkpoint, tensor), dtype, shape, file, same: tensor }
    return options.linear && conv1d && shape.length === 2 ? transpose(piece) : piece
  }

  body(slot: BodySlot, parameter: Parameter): Piece | null {
    return this.#piece(bodyKey(slot, parameter), { linear: false })
  }

  /** A part by itself, or out of a fused one; rotary pairs as halves. */
  layer(layer: number, slot: LayerSlot, parameter: Parameter): Piece | null {
    const { source, headDim } = this.#plan
    const piece = this.#piece(layerKey(layer, slot, parameter), { linear: LINEAR.has(slot) }) ?? this.#outOfFused(layer, slot, parameter)
    const isRotated = slot === 'query' || slot === 'key' || slot === 'queryNorm' || slot === 'keyNorm'
    return piece && isRotated && source.layout.rotary === 'interleaved' ? toHalves(piece, headDim) : piece
  }

  /** A fused part as it is, where the source has it as the family does. */
  fused(layer: number, slot: 'queryKeyValue' | 'gateUp', parameter: Parameter): Piece | null {
    const { layout } = this.#plan.source
    const key = layerKey(layer, slot, parameter)
    const module = this.#plan.source.parts.get(key)?.module ?? ''
    const { fusedOrder } = this.#plan.family
    const isReady = slot === 'gateUp' || (layout.rotary !== 'interleaved' && layout.fusedOrder(module) === fusedOrder)
    const piece = isReady ? this.#piece(key, { linear: true }) : null
    if (piece) return piece
    const singles: readonly LayerSlot[] = slot === 'gateUp' ? ['gate', 'up'] : ['query', 'key', 'value']
    const pieces = singles.map((single) => this.layer(layer, single, parameter)).filter((each) => each !== null)
    if (pieces.length < singles.length) return null
    return slot === 'queryKeyValue' && fusedOrder === 'grouped' ? this.#inGroups(pieces) : stack(pieces)
  }

  /** One expert's part. */
  expert(place: { readonly layer: number; readonly expert: number }, slot: ExpertSlot, parameter: Parameter): Piece | null {
    return this.#piece(expertKey(place, slot, parameter), { linear: true })
  }

  /** Queries, key and value of each group after another. */
  #inGroups(pieces: readonly Piece[]): Piece | null {
    const whole = stack(pieces)
    const order = { groups: this.#plan.keyValueHeads, parts: pieces.map(({ rows }) => rows.count) }
    return whole && { ...whole, from: `${whole.from} in groups`, rows: regroupRows(whole.rows, order) }
  }

  #outOfFused(layer: number, slot: LayerSlot, parameter: Parameter): Piece | null {
    if (slot === 'gate' || slot === 'up') {
      const piece = this.#piece(layerKey(layer, 'gateUp', parameter), { linear: true })
      const count = (piece?.rows.count ?? 0) / 2
      return piece && select(piece, slot, [{ first: slot === 'gate' ? 0 : count, count }])
    }
    if (slot !== 'query' && slot !== 'key' && slot !== 'value') return null
    const key = layerKey(layer, 'queryKeyValue', parameter)
    const piece = this.#piece(key, { linear: true })
    return piece && select(piece, slot, this.#fusedSlices(slot, this.#plan.source.parts.get(key)?.module ?? ''))
  }

  #fusedSlices(slot: 'query' | 'key' | 'value', module: string): readonly { readonly first: number; readonly count: number }[] {
    const { source, heads, keyValueHeads, headDim } = this.#plan
    const queryRows = heads * headDim
    const keyRows = keyValueHeads * headDim
    const stacked = { query: [0, queryRows], key: [queryRows, keyRows], value: [queryRows + keyRows, keyRows] } as const
    if (source.layout.fusedOrder(module) === 'stacked') return [{ first: stacked[slot][0], count: stacked[slot][1] }]
    // Each group: its queries, its key, its value.
    const queriesRows = queryRows / keyValueHeads
    const groupRows = queriesRows + 2 * headDim
    const within = { query: [0, queriesRows], key: [queriesRows, headDim], value: [queriesRows + headDim, headDim] } as const
    return Array.from({ length: keyValueHeads }, (_, group) => ({ first: group * groupRows + within[slot][0], count: within[slot][1] }))
  }
}

/** Zeros for a bias that the family has and the source does without. */
function zeroBias(weight: Piece, name: string): Piece {
  const count = weight.shape[0] ?? 0
  const rows = zeroRows(count, DTYPE_BITS[weight.dtype] / 8)
  return { ...weight, from: `zeros for ${name}`, rows, shape: [count], same: null }
}

/** The shared experts as one: side by side they are a wider one. Where the source takes it whole, the family's weight of a half is made up for. */
function sharedPiece(parts: Parts, plan: AssemblyPlan, place: { readonly layer: number; readonly slot: ExpertSlot }): Piece | null {
  const { layer, slot } = place
  const pieces = Array.from({ length: plan.sharedExperts }, (_, expert) => parts.expert({ layer, expert }, slot, 'weight'))
  const found = pieces.filter((piece) => piece !== null)
  const [first] = found
  if (!first || found.length < pieces.length) return null
  const joined = found.length === 1 ? first : slot === 'sharedDown' ? besides(found) : stack(found)
  const isWeighed = plan.source.parts.has(layerKey(layer, 'sharedWeight'))
  return joined && slot === 'sharedDown' && !isWeighed ? doubled(joined) : joined
}

/** A weight of zeros for the shared expert, whose sigmoid is a half everywhere. */
function sharedWeightPiece(parts: Parts, layer: number, name: string): Piece | null {
  const router = parts.layer(layer, 'router', 'weight')
  return (
    router && {
      ...router,
      from: `zeros for ${name}`,
      rows: zeroRows(1, router.rows.rowBytes),
      shape: [1, ...router.shape.slice(1)],
      same: null,
    }
  )
}

function layerPiece(parts: Parts, layer: number, slot: LayerSlot, parameter: Parameter): Piece | null {
  return slot === 'queryKeyValue' || slot === 'gateUp' ? parts.fused(layer, slot, parameter) : parts.layer(layer, slot, parameter)
}

/** A tensor of the family on its way; tensors of one `key` have one shape. */
interface NamedPiece {
  readonly name: string
  readonly piece: Piece | null
  readonly linear: boolean
  readonly key: string
}

/** The tensors of one part of a mixture of experts. */
function* expertPieces(
  plan: AssemblyPlan,
  parts: Parts,
  place: { readonly layer: number; readonly slot: ExpertSlot | 'sharedWeight'; readonly module: string },
): Generator<NamedPiece> {
  const { layer, slot, module } = place
  const key = `${slot}.weight`
  const name = `${module}.weight`
  if (slot === 'sharedWeight') {
    yield { name, piece: parts.layer(layer, slot, 'weight') ?? sharedWeightPiece(parts, layer, name), linear: true, key }
  } else if (slot.startsWith('shared')) {
    yield { name, piece: sharedPiece(parts, plan, { layer, slot }), linear: true, key }
  } else {
    for (let expert = 0; expert < plan.experts; expert++)
      yield { name: name.replace('{e}', String(expert)), piece: parts.expert({ layer, expert }, slot, 'weight'), linear: true, key }
  }
}

/** Every tensor of the family, or the names of those that are missing. */
function* pieces(plan: AssemblyPlan): Generator<NamedPiece> {
  const { family, source, tied } = plan
  const parts = new Parts(plan)
  const filled = new Set(family.biases.flatMap((group) => (group.filled ? group.parts : [])))
  const hasNormBias = family.norm === 'layer'
  for (const slot of ['embedding', 'positions'] as const) {
    const [module] = family.body[slot] ?? []
    if (module !== undefined)
      yield { name: `${family.bodyPrefix}${module}.weight`, piece: parts.body(slot, 'weight'), linear: false, key: slot }
  }
  for (let layer = 0; layer < source.layers; layer++) {
    const folder = `${family.bodyPrefix}${family.layer.replace('{i}', String(layer))}`
    for (const slot of Object.keys(family.layers) as LayerSlot[]) {
      // keys of LayerModules are slots
      const [module = ''] = family.layers[slot] ?? []
      if (isExpertSlot(slot) || slot === 'sharedWeight') {
        yield* expertPieces(plan, parts, { layer, slot, module: `${folder}.${module}` })
        continue
      }
      const linear = LINEAR.has(slot)
      const weight = layerPiece(parts, layer, slot, 'weight')
      yield { name: `${folder}.${module}.weight`, piece: weight, linear, key: `${slot}.weight` }
      const bias = layerPiece(parts, layer, slot, 'bias')
      const name = `${folder}.${module}.bias`
      const isFilled = filled.has(slot) || (hasNormBias && !linear)
      if (bias) yield { name, piece: bias, linear: false, key: `${slot}.bias` }
      else if (isFilled && weight) yield { name, piece: zeroBias(weight, name), linear: false, key: `${slot}.bias` }
    }
  }
  const norm = `${family.bodyPrefix}${family.body.finalNorm?.[0] ?? ''}`
  const weight = parts.body('finalNorm', 'weight')
  yield { name: `${norm}.weight`, piece: weight, linear: false, key: 'finalNorm.weight' }
  const bias = parts.body('finalNorm', 'bias') ?? (hasNormBias && weight ? zeroBias(weight, `${norm}.bias`) : null)
  if (bias) yield { name: `${norm}.bias`, piece: bias, linear: false, key: 'finalNorm.bias' }
  const head = parts.body('head', 'weight')
  // A tied head is kept as a second name of the embedding, where it is one tensor of the source.
  const embedding = parts.body('embedding', 'weight')
  if (!tied) yield { name: `${family.body.head?.[0] ?? ''}.weight`, piece: head, linear: false, key: 'head' }
  else if (head && embedding?.same && embedding.same.storage !== 'computed')
    yield { name: `${family.body.head?.[0] ?? ''}.weight`, piece: { ...embedding, from: head.from }, linear: false, key: 'head' }
}

function toDerived(piece: Piece, plan: AssemblyPlan, linear: boolean): DerivedTensor {
  // A family whose matrices lie as the source's are takes the tensor as it is.
  const turned = linear && plan.family.conv1d && piece.shape.length === 2 ? transpose(piece) : piece
  if (turned.same) return { kind: 'same', checkpoint: plan.checkpoint, tensor: turned.same }
  const { rows, dtype, shape, file } = turned
  return { kind: 'made', rows, dtype, shape, file }
}

/** More missing names than this help nobody. */
const MAX_NAMED = 8

/**
 * Makes the tensors of the family. Throws "convert/family-incomplete", and "convert/parts-differ" for layers of different shapes
 * or projections that cannot be put together.
 */
export function assemble(plan: AssemblyPlan): readonly AssembledTensor[] {
  const result: AssembledTensor[] = []
  const missing: string[] = []
  const shapes = new Map<string, Piece>()
  for (const { name, piece, linear, key } of pieces(plan)) {
    if (!piece) {
      missing.push(name)
      if (missing.length === MAX_NAMED) break
      continue
    }
    const first = shapes.get(key) ?? piece
    shapes.set(key, first)
    if (first.shape.join() !== piece.shape.join()) throw engineError('convert/parts-differ', { first: first.from, second: piece.from })
    result.push({ from: piece.from, name, tensor: toDerived(piece, plan, linear) })
  }
  if (missing.length > 0) throw engineError('convert/family-incomplete', { family: plan.family.modelType, missing })
  return result
}

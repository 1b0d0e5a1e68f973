// The tensors of a checkpoint as a tree by the parts of their names, and the rows of it that are visible.
import type { TensorRow } from '../../../../preload/contract'

/** What a row shows of a tensor. */
export interface TreeTensor {
  readonly name: string
  readonly dtype: string
  readonly block: string | null
  readonly shape: readonly number[]
  readonly file: string
  readonly sizeBytes: number
}

/** Names that share what stands before their last common dot. Members are groups and tensors in the order that they are shown in. */
export interface TensorGroup {
  /** Ends with a dot, but for the root's empty one. */
  readonly prefix: string
  /** The parts that its parent does not have. */
  readonly label: string
  readonly members: readonly (TensorGroup | TreeTensor)[]
  readonly tensors: number
  readonly sizeBytes: number
}

interface Growing {
  readonly groups: Map<string, Growing>
  readonly order: { readonly part: string; readonly tensor: TreeTensor | null }[]
}

/** Names may have any number of dots; a tree deeper than this keeps the rest of the name in one label. */
const MAX_DEPTH = 32

/** True for a group in the tree. */
function isGroup(member: TensorGroup | TreeTensor): member is TensorGroup {
  return 'members' in member
}

/** Builds the tree. A group with one member is joined with it: `self_attn.q_proj` and `weight` make one row. */
export function buildTensorTree(tensors: Iterable<TreeTensor>): TensorGroup {
  const root: Growing = { groups: new Map(), order: [] }
  for (const tensor of tensors) {
    const parts = splitName(tensor.name)
    let group = root
    for (const part of parts.slice(0, -1)) {
      let next = group.groups.get(part)
      if (next === undefined) {
        next = { groups: new Map(), order: [] }
        group.groups.set(part, next)
        group.order.push({ part, tensor: null })
      }
      group = next
    }
    group.order.push({ part: parts.at(-1) ?? tensor.name, tensor })
  }
  return finish(root, { prefix: '', label: '' })
}

function splitName(name: string): readonly string[] {
  const parts = name.split('.')
  return parts.length <= MAX_DEPTH ? parts : [...parts.slice(0, MAX_DEPTH - 1), parts.slice(MAX_DEPTH - 1).join('.')]
}

function finish(growing: Growing, at: { readonly prefix: string; readonly label: string }): TensorGroup {
  const members = sorted(growing.order).flatMap(({ part, tensor }): readonly (TensorGroup | TreeTensor)[] => {
    if (tensor !== null) return [tensor]
    const inner = growing.groups.get(part)
    return inner === undefined ? [] : [finishInner(inner, { prefix: `${at.prefix}${part}.`, label: part })]
  })
  let tensors = 0
  let sizeBytes = 0
  for (const member of members) {
    tensors += isGroup(member) ? member.tensors : 1
    sizeBytes += member.sizeBytes
  }
  return { ...at, members, tensors, sizeBytes }
}

function finishInner(growing: Growing, at: { readonly prefix: string; readonly label: string }): TensorGroup | TreeTensor {
  const group = finish(growing, at)
  const [only, second] = group.members
  if (only === undefined || second !== undefined) return group
  // The label of a tensor is cut from its name when it is shown.
  return isGroup(only) ? { ...only, label: `${at.label}.${only.label}` } : only
}

/** Layers come in the order of their numbers; everything else stays in the order of the files. */
function sorted(order: Growing['order']): Growing['order'] {
  return order.every(({ part }) => /^\d+$/.test(part)) ? order.toSorted((a, b) => Number(a.part) - Number(b.part)) : order
}

/** What is visible of a tree. `shown` counts the tensors that match. */
export interface VisibleRows {
  readonly rows: readonly TensorRow[]
  readonly tensors: number
}

/**
 * The visible rows from top to bottom. A group is open when `open` is, unless its prefix is in `toggled`. With a query, tensors whose names hold all its words
 * are left, and the groups around them.
 */
export function visibleRows(
  root: TensorGroup,
  options: { readonly query: string; readonly open: boolean; readonly toggled: ReadonlySet<string> },
): VisibleRows {
  const { open, toggled } = options
  const words = options.query.toLowerCase().split(/\s+/).filter(Boolean)
  const tree = words.length === 0 ? root : (filterGroup(root, words) ?? { ...root, members: [], tensors: 0, sizeBytes: 0 })
  const rows: TensorRow[] = []
  const walk = (group: TensorGroup, depth: number): void => {
    for (const member of group.members) {
      if (isGroup(member)) {
        const isOpen = open !== toggled.has(member.prefix)
        const { prefix, label, tensors, sizeBytes } = member
        rows.push({ kind: 'group', prefix, label, depth, open: isOpen, tensors, sizeBytes })
        if (isOpen) walk(member, depth + 1)
      } else {
        rows.push({ kind: 'tensor', ...member, label: member.name.slice(group.prefix.length), depth })
      }
    }
  }
  walk(tree, 0)
  return { rows, tensors: tree.tensors }
}

function filterGroup(group: TensorGroup, words: readonly string[]): TensorGroup | null {
  const members = group.members.flatMap((member): readonly (TensorGroup | TreeTensor)[] => {
    if (!isGroup(member)) return matches(member, words) ? [member] : []
    const inner = filterGroup(member, words)
    return inner === null ? [] : [inner]
  })
  if (members.length === 0) return null
  let tensors = 0
  let sizeBytes = 0
  for (const member of members) {
    tensors += isGroup(member) ? member.tensors : 1
    sizeBytes += member.sizeBytes
  }
  return { ...group, members, tensors, sizeBytes }
}

function matches({ name, dtype, block, shape, file }: TreeTensor, words: readonly string[]): boolean {
  const lower = `${name} ${dtype} ${block ?? ''} ${shape.join('x')} ${file}`.toLowerCase()
  return words.every((word) => lower.includes(word))
}

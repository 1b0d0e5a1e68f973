// Which naming a state dict follows, and which of its tensors is which part. Prefixes are found by evidence: whatever stands before the embedding and the layers alike.
import type { Checkpoint, TensorInfo } from '../../checkpoint/types'
import { SOURCE_LAYOUTS, type SourceLayout } from './layouts'
import { bodyKey, expertKey, isExpertSlot, layerKey, type BodySlot, type LayerSlot, type Parameter } from './slots'

/** A state dict read by one naming. `parts` are keyed as slots.ts keys them. */
export interface Recognised {
  readonly layout: SourceLayout
  /** What stood in front of the body's names. */
  readonly prefix: string
  readonly layers: number
  readonly parts: ReadonlyMap<string, RecognisedPart>
  readonly unmapped: readonly string[]
  /** Known tables and masks, by their name without prefix. */
  readonly dropped: ReadonlyMap<string, TensorInfo>
}

/** A tensor and the module that its naming gave it. */
interface RecognisedPart {
  readonly tensor: TensorInfo
  readonly module: string
}

/** What torch.compile, FSDP and checkpointing put into names, at any depth. */
const WRAPPER_SEGMENTS = /(^|\.)(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g

const PARAMETERS: Readonly<Record<string, Parameter>> = { weight: 'weight', scale: 'weight', gamma: 'weight', bias: 'bias', beta: 'bias' }

/** The name without wrappers inside. */
function unwrapped(name: string): string {
  return name.replace(WRAPPER_SEGMENTS, '').replace(/^\./, '')
}

/** `a.b.` -> ['a.b.', 'a.', '']: where the head of a body with that prefix may lie. */
function ancestors(prefix: string): readonly string[] {
  const segments = prefix.split('.').slice(0, -1)
  return Array.from({ length: segments.length + 1 }, (_, index) =>
    segments
      .slice(0, segments.length - index)
      .map((segment) => `${segment}.`)
      .join(''),
  )
}

function splitParameter(name: string): { readonly module: string; readonly parameter: Parameter } | null {
  const dot = name.lastIndexOf('.')
  const parameter = PARAMETERS[name.slice(dot + 1)]
  return dot < 0 || parameter === undefined ? null : { module: name.slice(0, dot), parameter }
}

function entriesOf<Slot extends string>(modules: Partial<Record<Slot, readonly string[]>>): ReadonlyMap<string, Slot> {
  const slots = Object.keys(modules) as Slot[] // keys of a Partial<Record<Slot, ...>>
  return new Map(slots.flatMap((slot) => (modules[slot] ?? []).map((module): [string, Slot] => [module, slot])))
}

/** The body's prefix: it stands before the embedding and before the first layer. */
function findPrefix(names: readonly string[], layout: SourceLayout): string | null {
  const firstLayer = layout.layer.replace('{i}', '0')
  for (const embedding of layout.body.embedding ?? []) {
    for (const name of names) {
      const ending = `${embedding}.weight`
      if (name !== ending && !name.endsWith(`.${ending}`)) continue
      const prefix = name.slice(0, -ending.length)
      if (names.some((other) => other.startsWith(`${prefix}${firstLayer}.`))) return prefix
    }
  }
  return null
}

/** `mlp.experts.3.up_proj` -> `mlp.experts.{e}.up_proj` and 3; a module without a number belongs to the only expert. */
function numbered(module: string): { readonly pattern: string; readonly expert: number } {
  const [, before = '', digits = '', after = ''] = /^(.*?\.)(\d{1,4})(\..*)$/.exec(module) ?? []
  return digits === '' ? { pattern: module, expert: 0 } : { pattern: `${before}{e}${after}`, expert: Number(digits) }
}

interface NameReader {
  readonly body: ReadonlyMap<string, BodySlot>
  readonly layers: ReadonlyMap<string, LayerSlot>
  readonly heads: ReadonlySet<string>
  readonly layerName: RegExp
  readonly prefix: string
}

/** The key of the part that a name stands for, and its module; null for a name that is none of the layout's. */
function readName(name: string, reader: NameReader): { readonly key: string; readonly module: string; readonly layer: number } | null {
  const split = splitParameter(name)
  if (!split) return null
  const { parameter } = split
  if (reader.heads.has(split.module)) return { key: bodyKey('head', parameter), module: split.module, layer: -1 }
  if (!split.module.startsWith(reader.prefix)) return null
  const module = split.module.slice(reader.prefix.length)
  const bodySlot = reader.body.get(module)
  if (bodySlot !== undefined && bodySlot !== 'head') return { key: bodyKey(bodySlot, parameter), module, layer: -1 }
  const [, digits = '', inner = ''] = reader.layerName.exec(module) ?? []
  const layer = Number(digits)
  const { pattern, expert } = numbered(inner)
  const slot = reader.layers.get(inner) ?? reader.layers.get(pattern)
  if (slot === undefined) return null
  return {
    key: isExpertSlot(slot) ? expertKey({ layer, expert }, slot, parameter) : layerKey(layer, slot, parameter),
    module: inner,
    layer,
  }
}

function readByLayout(tensors: ReadonlyMap<string, TensorInfo>, layout: SourceLayout): Recognised | null {
  const names = [...tensors.keys()].map((name) => ({ name, plain: unwrapped(name) }))
  const prefix = findPrefix(
    names.map(({ plain }) => plain),
    layout,
  )
  if (prefix === null) return null
  const reader: NameReader = {
    body: entriesOf(layout.body),
    layers: entriesOf(layout.layers),
    heads: new Set(ancestors(prefix).flatMap((ancestor) => (layout.body.head ?? []).map((head) => `${ancestor}${head}`))),
    layerName: new RegExp(`^${layout.layer.replaceAll('.', '\\.').replace('{i}', '(\\d{1,4})')}\\.(.+)$`),
    prefix,
  }
  const parts = new Map<string, RecognisedPart>()
  const unmapped: string[] = []
  const dropped = new Map<string, TensorInfo>()
  let layers = 0
  for (const { name, plain } of names) {
    const tensor = tensors.get(name)
    if (!tensor) continue
    const read = readName(plain, reader)
    const inBody = plain.startsWith(prefix) ? plain.slice(prefix.length) : plain
    if (read && !parts.has(read.key)) {
      parts.set(read.key, { tensor, module: read.module })
      layers = Math.max(layers, read.layer + 1)
    } else if (layout.dropped.some((pattern) => pattern.test(inBody))) dropped.set(inBody, tensor)
    else unmapped.push(name)
  }
  return { layout, prefix, layers, parts, unmapped, dropped }
}

/** Reads a state dict by the naming that leaves the fewest tensors over; null when none has its embedding and its layers. */
export function recognise({ tensors, metadata }: Pick<Checkpoint, 'tensors' | 'metadata'>): Recognised | null {
  const read = SOURCE_LAYOUTS.map((layout) => readByLayout(tensors, layout)).filter((each) => each !== null)
  const best = read.sort((left, right) => left.unmapped.length - right.unmapped.length)[0] ?? null
  // Of the families of llama.cpp only Llama rotates neighbours.
  const rotatesHalves = best?.layout.name === 'gguf' && metadata['general.architecture'] !== 'llama'
  return best && rotatesHalves ? { ...best, layout: { ...best.layout, rotary: 'half-split' } } : best
}

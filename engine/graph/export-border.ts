// The border of an exported decoder: which inputs and outputs of an ONNX graph are ids, masks, positions, cache and logits. Layouts: optimum 1.x, transformers.js 3, onnxruntime-genai 0.9.
import type { OnnxOutline } from '../checkpoint/onnx/outline'
import type { OnnxPort } from '../checkpoint/onnx/node-check'
import type { ExportConfig } from '../config/export-config'
import { CONFIG_LIMITS } from '../config/limits'
import { engineError } from '../errors'
import { keepsCacheInPlace } from './export-cache-use'

/** Element types of ids, masks and positions. */
type IdDtype = 'I64' | 'I32'
/** Element types of keys, values and logits. */
type FloatDtype = 'F32' | 'F16' | 'BF16'

/** A value of the graph by name, with the type that it is exchanged in. */
interface Port<D> {
  readonly name: string
  readonly dtype: D
}

/** Keys or values of one layer: [1, heads, tokens, headDim]. */
export interface CachePort extends Port<FloatDtype> {
  readonly present: string
  readonly heads: number
  readonly headDim: number
}

/** What the runtime binds. Null ports are not inputs of this graph. */
export interface ExportBorder {
  readonly inputIds: Port<IdDtype>
  readonly attentionMask: Port<IdDtype | 'BOOL'> | null
  readonly positionIds: Port<IdDtype> | null
  readonly useCacheBranch: Port<'BOOL'> | null
  readonly numLogitsToKeep: (Port<IdDtype> & { readonly rank: number }) | null
  readonly seqlensK: (Port<'I32'> & { readonly shape: readonly number[] }) | null
  readonly totalSequenceLength: (Port<IdDtype> & { readonly shape: readonly number[] }) | null
  readonly logits: Port<FloatDtype>
  readonly vocabSize: number
  /** The graph computes scores of the last position only. */
  readonly lastLogitsOnly: boolean
  /** Keys and values of all layers; empty when the graph keeps none. */
  readonly cache: readonly CachePort[]
  /** Whether past and present may be one buffer, or present is past with the new tokens behind it. */
  readonly cacheKind: 'in-place' | 'joined' | 'none'
  /** Whether a prompt must be run at once: without a cache, or where the branch with a past is right for single tokens only. */
  readonly wholePrompt: boolean
}

const ELEMENT_NAMES: Readonly<Record<number, string>> = {
  1: 'F32',
  2: 'U8',
  3: 'I8',
  6: 'I32',
  7: 'I64',
  9: 'BOOL',
  10: 'F16',
  11: 'F64',
  16: 'BF16',
}
const ID_TYPES = { 7: 'I64', 6: 'I32' } as const
const MASK_TYPES = { 7: 'I64', 6: 'I32', 9: 'BOOL' } as const
const FLOAT_TYPES = { 1: 'F32', 10: 'F16', 16: 'BF16' } as const
const BOOL_TYPE = { 9: 'BOOL' } as const
const INT32_TYPE = { 6: 'I32' } as const

/** Names that the builders of onnxruntime-genai and transformers.js give inputs of a meaning that is fixed. */
const EXTRA_INPUTS = {
  useCacheBranch: 'use_cache_branch',
  numLogitsToKeep: 'num_logits_to_keep',
  seqlensK: 'seqlens_k',
  totalSequenceLength: 'total_sequence_length',
} as const

/** Domains whose operators ONNX Runtime registers itself on the CPU. */
const OWN_DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx.ml', 'com.microsoft', 'com.ms.internal.nhwc', 'com.microsoft.nchwc'])
/** Operators of those domains that hand over to something outside of the model. */
const REFUSED_OPERATORS: ReadonlySet<string> = new Set([
  'com.microsoft::EPContext',
  'com.microsoft::PythonOp',
  'com.microsoft::PythonOpGrad',
  'com.microsoft::Snpe',
  'com.microsoft::AzureTextToText',
])
/** More names than this in one sentence help nobody. */
const MAX_NAMED = 5

/** Throws "graph/export-custom-operator" when the graph needs operators that ONNX Runtime does not bring along. */
function checkOperators({ path, operators, functions }: OnnxOutline): void {
  const foreign = [...operators].filter((operator) => {
    const [domain = ''] = operator.split('::')
    return !functions.has(operator) && (!OWN_DOMAINS.has(domain) || REFUSED_OPERATORS.has(operator))
  })
  if (foreign.length > 0) throw engineError('graph/export-custom-operator', { path, operators: foreign.sort().slice(0, MAX_NAMED) })
}

interface Ports {
  readonly path: string
  readonly find: (name: string) => OnnxPort | undefined
}

function typed<D extends string>(ports: Ports, port: OnnxPort, types: Readonly<Record<number, D>>): Port<D> {
  const { name, elementType } = port
  const dtype = types[elementType]
  if (dtype === undefined) {
    const found = ELEMENT_NAMES[elementType] ?? `type ${elementType}`
    throw engineError('graph/export-port-dtype', { path: ports.path, name, found, allowed: Object.values(types) })
  }
  return { name, dtype }
}

function shapeError(ports: Ports, port: OnnxPort, expected: string): Error {
  return engineError('graph/export-port-shape', { path: ports.path, name: port.name, found: port.shape, expected })
}

/** Checks a shape against what each axis must be: `1` takes batches of one, `free` any length, a number itself or a symbol. */
function checkShape(ports: Ports, port: OnnxPort, axes: readonly ('1' | 'free' | 'any')[]): readonly (number | string)[] {
  const expected = `[${axes.map((axis) => (axis === '1' ? 'batch' : axis === 'free' ? 'length' : 'size')).join(', ')}]`
  const { shape } = port
  if (shape?.length !== axes.length) throw shapeError(ports, port, expected)
  for (const [axis, kind] of axes.entries()) {
    const size = shape[axis] ?? ''
    if (typeof size !== 'number') continue
    if (kind === '1' && size !== 1) throw shapeError(ports, port, `${expected} with a batch of one`)
    if (kind === 'free') throw shapeError(ports, port, `${expected} with a free length`)
  }
  return shape
}

/** A named input of rank 2, [batch, length], or null where the graph has none. */
function sequenceInput<D extends string>(ports: Ports, name: string, types: Readonly<Record<number, D>>): Port<D> | null {
  const port = ports.find(name)
  if (port === undefined) return null
  checkShape(ports, port, ['1', 'free'])
  return typed(ports, port, types)
}

/** The shape of a small input of one number: every axis is 1. */
function smallShape(ports: Ports, port: OnnxPort): readonly number[] {
  if (port.shape === null || port.shape.length > 2 || port.shape.some((size) => typeof size === 'number' && size !== 1))
    throw shapeError(ports, port, '[] or [1] or [batch, 1]')
  return port.shape.map(() => 1)
}

/** A size that the graph writes, or else the configuration's. */
function sizeOf(
  ports: Ports,
  port: OnnxPort,
  options: { readonly axis: number; readonly configured: number | null; readonly max: number },
): number {
  const written = port.shape?.[options.axis]
  const size = typeof written === 'number' ? written : options.configured
  if (size === null || size < 1 || size > options.max)
    throw shapeError(ports, port, `a size of axis ${options.axis} from 1 to ${options.max}`)
  return size
}

/** Layers by number whose keys (or values) are inputs under a template. */
function cachePorts(
  ports: Ports,
  options: { readonly outline: OnnxOutline; readonly config: ExportConfig; readonly past: string; readonly present: string },
): Map<string, CachePort> {
  const { outline, config } = options
  const [before = '', after = ''] = options.past.split('%d')
  const found = new Map<string, CachePort>()
  for (const port of outline.inputs) {
    const layer = port.name.slice(before.length, port.name.length - after.length)
    if (!port.name.startsWith(before) || !port.name.endsWith(after) || !/^\d{1,5}$/.test(layer)) continue
    checkShape(ports, port, ['1', 'any', 'free', 'any'])
    const present = options.present.replace('%d', layer)
    if (!outline.outputs.some(({ name }) => name === present))
      throw engineError('graph/export-cache-gap', { path: outline.path, name: present })
    const heads = sizeOf(ports, port, { axis: 1, configured: config.numKeyValueHeads, max: CONFIG_LIMITS.heads.max })
    const headDim = sizeOf(ports, port, { axis: 3, configured: config.headDim, max: CONFIG_LIMITS.headDim.max })
    found.set(port.name, { ...typed(ports, port, FLOAT_TYPES), present, heads, headDim })
  }
  return found
}

function optionalPort<T>(ports: Ports, name: string, read: (port: OnnxPort) => T): T | null {
  const port = ports.find(name)
  return port === undefined ? null : read(port)
}

/**
 * Finds a text decoder's inputs and outputs in an outline. Throws "graph/export-custom-operator", "graph/export-missing-port", "graph/export-unknown-input",
 * "graph/export-port-shape", "graph/export-port-dtype", "graph/export-cache-gap".
 */
export function matchExportBorder(outline: OnnxOutline, config: ExportConfig): ExportBorder {
  checkOperators(outline)
  const { path, inputs, outputs } = outline
  const names = config.ports
  const ports: Ports = { path, find: (name) => inputs.find((port) => port.name === name) }
  const cache = new Map([
    ...cachePorts(ports, { outline, config, past: names.pastKey, present: names.presentKey }),
    ...cachePorts(ports, { outline, config, past: names.pastValue, present: names.presentValue }),
  ])
  const known = new Set<string>([names.inputIds, names.attentionMask, names.positionIds, ...Object.values(EXTRA_INPUTS), ...cache.keys()])
  const unknown = inputs.map(({ name }) => name).filter((name) => !known.has(name))
  if (unknown.length > 0) throw engineError('graph/export-unknown-input', { path, inputs: unknown.slice(0, MAX_NAMED) })
  const inputIds = sequenceInput(ports, names.inputIds, ID_TYPES)
  if (inputIds === null) throw engineError('graph/export-missing-port', { path, kind: 'input', name: names.inputIds })
  const logits = outputs.find(({ name }) => name === names.logits)
  if (logits === undefined) throw engineError('graph/export-missing-port', { path, kind: 'output', name: names.logits })
  checkShape(ports, logits, ['1', 'any', 'any'])
  const useCacheBranch = optionalPort(ports, EXTRA_INPUTS.useCacheBranch, (port) => typed(ports, port, BOOL_TYPE))
  const cacheKind = cache.size === 0 ? 'none' : keepsCacheInPlace(outline, [...cache.values()]) ? 'in-place' : 'joined'
  return {
    inputIds,
    attentionMask: sequenceInput(ports, names.attentionMask, MASK_TYPES),
    positionIds: sequenceInput(ports, names.positionIds, ID_TYPES),
    useCacheBranch,
    numLogitsToKeep: optionalPort(ports, EXTRA_INPUTS.numLogitsToKeep, (port) => ({
      ...typed(ports, port, ID_TYPES),
      rank: smallShape(ports, port).length,
    })),
    seqlensK: optionalPort(ports, EXTRA_INPUTS.seqlensK, (port) => ({ ...typed(ports, port, INT32_TYPE), shape: smallShape(ports, port) })),
    totalSequenceLength: optionalPort(ports, EXTRA_INPUTS.totalSequenceLength, (port) => ({
      ...typed(ports, port, ID_TYPES),
      shape: smallShape(ports, port),
    })),
    logits: typed(ports, logits, FLOAT_TYPES),
    lastLogitsOnly: logits.shape?.[1] === 1,
    vocabSize: sizeOf(ports, logits, { axis: 2, configured: config.vocabSize, max: CONFIG_LIMITS.vocabSize.max }),
    cache: [...cache.values()],
    cacheKind,
    wholePrompt: cacheKind === 'none' || useCacheBranch !== null,
  }
}

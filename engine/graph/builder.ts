// GraphBuilder: collects the nodes, borders and constants of one ONNX graph; every name is a path and is used once.
import { createHash } from 'node:crypto'
import { engineError } from '../errors'
import { writeModelProto, type Attribute, type GraphBorder, type GraphDtype, type GraphNode, type Initializer } from './onnx/model-proto'

/** A node to add. `outputs` defaults to one value named `<path>/output_0`; null inputs and later outputs are absent optional ones. */
interface NodeSpec {
  readonly path: string
  readonly op: string
  readonly domain?: 'com.microsoft'
  readonly inputs: readonly (string | null)[]
  readonly outputs?: readonly [string, ...(string | null)[]]
  readonly attributes?: Readonly<Record<string, Attribute>>
}

/** A weight that stays in its file. `location` is relative to the session's external-data folder, with forward slashes. */
interface ExternalSpec {
  readonly name: string
  readonly dtype: GraphDtype
  readonly shape: readonly number[]
  readonly location: string
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/** An ONNX graph under construction. Value names are returned so that blocks can be chained; a repeated name throws "graph/name-repeated". */
export interface GraphBuilder {
  readonly input: (border: GraphBorder) => string
  readonly output: (border: GraphBorder) => string
  /** Adds a node and returns its first output. */
  readonly node: (spec: NodeSpec) => string
  readonly external: (spec: ExternalSpec) => string
  /** An I64 vector (a shape, axes, an order of columns); the same numbers are written once. */
  readonly int64: (values: readonly number[]) => string
  /** A small F32 constant; the same name is written once. A number is a scalar. */
  readonly float32: (name: string, values: number | readonly number[], shape?: readonly number[]) => string
  readonly finish: () => Uint8Array
}

/** Constants of more numbers are named after a hash of them. */
const MAX_NAMED_NUMBERS = 16

function int64Name(values: readonly number[]): string {
  if (values.length <= MAX_NAMED_NUMBERS) return `[${values.join(',')}]`
  return `${values.length}/${createHash('sha256').update(int64Bytes(values)).digest('hex').slice(0, 32)}`
}

function int64Bytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
}

/** Starts an empty graph. */
export function createGraphBuilder(options: { readonly name: string }): GraphBuilder {
  const nodes: GraphNode[] = []
  const inputs: GraphBorder[] = []
  const outputs: GraphBorder[] = []
  const initializers: Initializer[] = []
  const values = new Set<string>()
  const paths = new Set<string>()

  const claim = (names: Set<string>, name: string): string => {
    if (names.has(name)) throw engineError('graph/name-repeated', { name })
    names.add(name)
    return name
  }

  return {
    input: (border) => {
      inputs.push(border)
      return claim(values, border.name)
    },
    // An output names a value that some node already made.
    output: (border) => {
      outputs.push(border)
      return border.name
    },
    node: (spec) => {
      const [first, ...others] = spec.outputs ?? [`${spec.path}/output_0`]
      claim(values, first)
      for (const name of others) if (name !== null) claim(values, name)
      nodes.push({
        path: claim(paths, spec.path),
        op: spec.op,
        domain: spec.domain ?? '',
        inputs: spec.inputs.map((name) => name ?? ''),
        outputs: [first, ...others.map((name) => name ?? '')],
        attributes: spec.attributes ?? {},
      })
      return first
    },
    external: ({ name, dtype, shape, location, offsetBytes, sizeBytes }) => {
      initializers.push({ name: claim(values, name), dtype, shape, data: { kind: 'external', location, offsetBytes, sizeBytes } })
      return name
    },
    int64: (numbers) => {
      const name = `/constants/I64/${int64Name(numbers)}`
      if (values.has(name)) return name
      initializers.push({
        name: claim(values, name),
        dtype: 'I64',
        shape: [numbers.length],
        data: { kind: 'inline', bytes: int64Bytes(numbers) },
      })
      return name
    },
    float32: (label, numbers, shape) => {
      const name = `/constants/F32/${label}`
      if (values.has(name)) return name
      const list = typeof numbers === 'number' ? [numbers] : numbers
      const bytes = new Uint8Array(Float32Array.from(list).buffer)
      const sizes = shape ?? (typeof numbers === 'number' ? [] : [list.length])
      initializers.push({ name: claim(values, name), dtype: 'F32', shape: sizes, data: { kind: 'inline', bytes } })
      return name
    },
    finish: () => writeModelProto({ name: options.name, nodes, inputs, outputs, initializers }),
  }
}

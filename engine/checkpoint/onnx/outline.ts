// The outline of an ONNX model: its border, its operators, and where its weights lie; read before any session sees the file. Follows onnx.proto3 (ONNX 1.20, IR 12).
import { openRandomAccessFile } from '../../bytes/random-access-file'
import { readFunction, readNode, readPort, type NodeCheck, type OnnxNode, type OnnxPort } from './node-check'
import { createProtoFile, type ProtoFile } from './proto-ranges'
import { readText, readTensorProto } from './tensor-proto'

/** What a graph is from the outside, and the nodes between. Inputs that have an initializer are left out: they have a value. */
export interface OnnxOutline {
  readonly path: string
  readonly inputs: readonly OnnxPort[]
  readonly outputs: readonly OnnxPort[]
  readonly nodes: readonly OnnxNode[]
  /** `domain::operator` of all nodes, nested ones included. */
  readonly operators: ReadonlySet<string>
  /** `domain::name` of the functions that the model brings along. */
  readonly functions: ReadonlySet<string>
}

/** Where a field's content lies in the file. */
interface ByteRange {
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/** Everything but weights is held in memory; the largest public graphs, merged ones with two copies of every node, stay below 50 MB. */
const MAX_GRAPH_BYTES = 512 * 1024 * 1024
/** Nodes of the outer graph; deep models exported without fusion have some 50,000. */
const MAX_NODES = 1_000_000

/** ModelProto.graph and .functions, GraphProto.node, .initializer, .input, .output, .sparse_initializer. */
export const MODEL_FIELD = { graph: 7, functions: 25 } as const
export const GRAPH_FIELD = { node: 1, initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const

/** Reads the bytes of a field, of which all together must stay below the limit. */
export function createFieldReader(
  proto: ProtoFile,
): (field: { readonly offsetBytes: number; readonly sizeBytes: number }) => Promise<Uint8Array> {
  let totalBytes = 0
  return async (field) => {
    totalBytes += field.sizeBytes
    if (totalBytes > MAX_GRAPH_BYTES)
      throw proto.malformed(field.offsetBytes, `its graph has more than ${MAX_GRAPH_BYTES} bytes beside the weights`)
    return proto.read(field)
  }
}

/** The name of an initializer, without its values. */
async function initializerName(proto: ProtoFile, field: ByteRange): Promise<string> {
  for await (const inner of proto.fields(field)) if (inner.number === 8 && inner.kind === 'bytes') return readText(proto, inner)
  return ''
}

/**
 * Reads the outline of the model at `path`; weights are not read.
 * Throws "checkpoint/onnx-malformed", "checkpoint/onnx-nested-data", "bytes/protobuf-malformed" and what openRandomAccessFile throws.
 */
export async function readOnnxOutline(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<OnnxOutline> {
  using file = await openRandomAccessFile(path)
  const proto = createProtoFile(file, options.signal)
  const read = createFieldReader(proto)
  const check: NodeCheck = { path, operators: new Set() }
  const functions = new Set<string>()
  const inputs: OnnxPort[] = []
  const outputs: OnnxPort[] = []
  const nodes: OnnxNode[] = []
  const initialized = new Set<string>()
  let hasGraph = false
  for await (const field of proto.fields({ offsetBytes: 0, sizeBytes: file.sizeBytes })) {
    if (field.kind !== 'bytes') continue
    if (field.number === MODEL_FIELD.functions) functions.add(readFunction(await read(field), check))
    if (field.number !== MODEL_FIELD.graph) continue
    if (hasGraph) throw proto.malformed(field.offsetBytes, 'there are two graphs')
    hasGraph = true
    for await (const part of proto.fields(field)) {
      if (part.kind !== 'bytes') continue
      if (part.number === GRAPH_FIELD.initializer) initialized.add(await initializerName(proto, part))
      else if (part.number === GRAPH_FIELD.input) inputs.push(readPort(await read(part), path))
      else if (part.number === GRAPH_FIELD.output) outputs.push(readPort(await read(part), path))
      else if (part.number === GRAPH_FIELD.node) nodes.push(readNode(await read(part), check))
      else if (part.number === GRAPH_FIELD.sparseInitializer) throw proto.malformed(part.offsetBytes, 'it has sparse initializers')
      if (nodes.length > MAX_NODES) throw proto.malformed(part.offsetBytes, `it has more than ${MAX_NODES} nodes`)
    }
  }
  if (!hasGraph) throw proto.malformed(0, 'there is no graph')
  return { path, inputs: inputs.filter(({ name }) => !initialized.has(name)), outputs, nodes, operators: check.operators, functions }
}

/** Locations of the model's external data, as written. A quick look: ranges are not checked. */
export async function externalLocations(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<readonly string[]> {
  using file = await openRandomAccessFile(path)
  const proto = createProtoFile(file, options.signal)
  const locations = new Set<string>()
  for await (const field of proto.fields({ offsetBytes: 0, sizeBytes: file.sizeBytes })) {
    if (field.number !== MODEL_FIELD.graph || field.kind !== 'bytes') continue
    for await (const part of proto.fields(field)) {
      if (part.number !== GRAPH_FIELD.initializer || part.kind !== 'bytes') continue
      const location = (await readTensorProto(proto, part)).external?.get('location')
      if (location !== undefined) locations.add(location)
    }
  }
  return [...locations]
}

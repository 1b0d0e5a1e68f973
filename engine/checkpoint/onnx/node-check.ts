// What the nodes of an ONNX graph are, found without running anything: their operators, their values, and references that must not be there. Follows onnx.proto3 (ONNX 1.20, IR 12).
import { protoInt, protoString, readProtoFields } from '../../bytes/protobuf'
import { engineError } from '../../errors'

/** A node of the outer graph; an empty name is an absent optional value. */
export interface OnnxNode {
  readonly domain: string
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** Collects the operators of nodes, nested ones included, as `domain::operator`. */
export interface NodeCheck {
  readonly path: string
  readonly operators: Set<string>
}

/** Branches in branches in loops: exporters nest two or three deep, and every level costs a level of the stack. */
const MAX_NESTING = 16
/** Kinds of operators of one graph; ONNX and ONNX Runtime have some 400 together. */
const MAX_OPERATORS = 10_000

/** `ai.onnx` is the default domain's other name. */
function domainOf(text: string): string {
  return text === 'ai.onnx' ? '' : text
}

/** TensorProto.data_location EXTERNAL, wherever the tensor stands inside a node. */
function refuseExternalTensor(tensor: Uint8Array, check: NodeCheck): void {
  for (const field of readProtoFields(tensor, { what: check.path })) {
    const isExternal = (field.number === 14 && field.wire === 'varint' && field.value === 1n) || field.number === 13
    if (isExternal) throw engineError('checkpoint/onnx-nested-data', { path: check.path })
  }
}

function checkSparse(sparse: Uint8Array, check: NodeCheck): void {
  for (const field of readProtoFields(sparse, { what: check.path }))
    if (field.wire === 'bytes' && (field.number === 1 || field.number === 2)) refuseExternalTensor(field.bytes, check)
}

function checkGraph(graph: Uint8Array, check: NodeCheck, depth: number): void {
  if (depth > MAX_NESTING)
    throw engineError('checkpoint/onnx-malformed', {
      path: check.path,
      offsetBytes: 0,
      reason: `graphs are nested more than ${MAX_NESTING} deep`,
    })
  for (const field of readProtoFields(graph, { what: check.path })) {
    if (field.wire !== 'bytes') continue
    if (field.number === 1) readNode(field.bytes, check, depth)
    if (field.number === 5) refuseExternalTensor(field.bytes, check)
    if (field.number === 15) checkSparse(field.bytes, check)
  }
}

/** AttributeProto: t, g, tensors, graphs, sparse_tensor, sparse_tensors. */
function checkAttribute(attribute: Uint8Array, check: NodeCheck, depth: number): void {
  for (const field of readProtoFields(attribute, { what: check.path })) {
    if (field.wire !== 'bytes') continue
    if (field.number === 5 || field.number === 10) refuseExternalTensor(field.bytes, check)
    else if (field.number === 6 || field.number === 11) checkGraph(field.bytes, check, depth + 1)
    else if (field.number === 22 || field.number === 23) checkSparse(field.bytes, check)
  }
}

/**
 * Reads a NodeProto and notes its operator and those inside it.
 * Throws "checkpoint/onnx-nested-data" for external data anywhere in it, "checkpoint/onnx-malformed", "bytes/protobuf-malformed".
 */
export function readNode(node: Uint8Array, check: NodeCheck, depth = 0): OnnxNode {
  const { path } = check
  const text = (bytes: Uint8Array): string => protoString(bytes, { what: path })
  const inputs: string[] = []
  const outputs: string[] = []
  let operator = ''
  let domain = ''
  for (const field of readProtoFields(node, { what: path })) {
    if (field.wire !== 'bytes') continue
    if (field.number === 1) inputs.push(text(field.bytes))
    else if (field.number === 2) outputs.push(text(field.bytes))
    else if (field.number === 4) operator = text(field.bytes)
    else if (field.number === 7) domain = domainOf(text(field.bytes))
    else if (field.number === 5) checkAttribute(field.bytes, check, depth)
  }
  check.operators.add(`${domain}::${operator}`)
  if (check.operators.size > MAX_OPERATORS)
    throw engineError('checkpoint/onnx-malformed', {
      path,
      offsetBytes: 0,
      reason: `it uses more than ${MAX_OPERATORS} kinds of operators`,
    })
  return { domain, operator, inputs, outputs }
}

/** Reads a FunctionProto, noting the operators of its nodes; returns the operator that it defines, as `domain::name`. Throws as readNode does. */
export function readFunction(bytes: Uint8Array, check: NodeCheck): string {
  let name = ''
  let domain = ''
  for (const field of readProtoFields(bytes, { what: check.path })) {
    if (field.wire !== 'bytes') continue
    if (field.number === 1) name = protoString(field.bytes, { what: check.path })
    else if (field.number === 9) domain = domainOf(protoString(field.bytes, { what: check.path }))
    else if (field.number === 7) readNode(field.bytes, check, 1)
    else if (field.number === 11) checkAttribute(field.bytes, check, 1)
  }
  return `${domain}::${name}`
}

/** A graph input or output. A symbolic dimension is its name, an unknown one is empty; `elementType` is a TensorProto.DataType, 0 for what is no tensor. */
export interface OnnxPort {
  readonly name: string
  readonly elementType: number
  /** Null when the graph does not say. */
  readonly shape: readonly (number | string)[] | null
}

function readDimension(bytes: Uint8Array, path: string): number | string {
  for (const field of readProtoFields(bytes, { what: path })) {
    if (field.number === 1 && field.wire === 'varint') return protoInt(field.value)
    if (field.number === 2 && field.wire === 'bytes') return protoString(field.bytes, { what: path })
  }
  return ''
}

function readTensorType(bytes: Uint8Array, path: string): Pick<OnnxPort, 'elementType' | 'shape'> {
  let elementType = 0
  let shape: (number | string)[] | null = null
  for (const field of readProtoFields(bytes, { what: path })) {
    if (field.number === 1 && field.wire === 'varint') elementType = protoInt(field.value)
    if (field.number !== 2 || field.wire !== 'bytes') continue
    shape = []
    for (const dimension of readProtoFields(field.bytes, { what: path }))
      if (dimension.number === 1 && dimension.wire === 'bytes') shape.push(readDimension(dimension.bytes, path))
  }
  return { elementType, shape }
}

/** Reads a ValueInfoProto of a graph's border. Throws "bytes/protobuf-malformed". */
export function readPort(bytes: Uint8Array, path: string): OnnxPort {
  let name = ''
  let type: Pick<OnnxPort, 'elementType' | 'shape'> = { elementType: 0, shape: null }
  for (const field of readProtoFields(bytes, { what: path })) {
    if (field.wire !== 'bytes') continue
    if (field.number === 1) name = protoString(field.bytes, { what: path })
    if (field.number !== 2) continue
    for (const kind of readProtoFields(field.bytes, { what: path }))
      if (kind.number === 1 && kind.wire === 'bytes') type = readTensorType(kind.bytes, path)
  }
  return { name, ...type }
}

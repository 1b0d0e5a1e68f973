// ONNX ModelProto, written: the part of onnx.proto (IR version 10, ONNX 1.16) that a decoder graph uses.
import type { Dtype } from '../../tensor/dtype'
import { createMessageWriter, type MessageWriter } from './wire-writer'

/** TensorProto.DataType by safetensors dtype name, for the types a graph uses. */
const ELEMENT_TYPES = {
  F32: 1,
  U8: 2,
  I8: 3,
  I32: 6,
  I64: 7,
  BOOL: 9,
  F16: 10,
  BF16: 16,
} as const satisfies Partial<Record<Dtype, number>>

/** A dtype that graph values can have. */
export type GraphDtype = keyof typeof ELEMENT_TYPES

/** One attribute of a node; the key names its type. `cast` is the target dtype of a Cast. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly cast: GraphDtype }

/** A node; an empty input or output name is an absent optional one. */
export interface GraphNode {
  readonly path: string
  readonly op: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** A graph input or output; a named dimension is free. */
export interface GraphBorder {
  readonly name: string
  readonly dtype: GraphDtype
  readonly shape: readonly (number | string)[]
}

/** Where an initializer's bytes are: in the model itself, or in a file beside it. */
type InitializerData =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'external'; readonly location: string; readonly offsetBytes: number; readonly sizeBytes: number }

/** A constant tensor of the graph. */
export interface Initializer {
  readonly name: string
  readonly dtype: GraphDtype
  readonly shape: readonly number[]
  readonly data: InitializerData
}

/** All of a graph, ready to be written. */
export interface GraphContents {
  readonly name: string
  readonly nodes: readonly GraphNode[]
  readonly inputs: readonly GraphBorder[]
  readonly outputs: readonly GraphBorder[]
  readonly initializers: readonly Initializer[]
}

const IR_VERSION = 10
/** The default domain's opset, and the contrib operators that ONNX Runtime ships. */
const OPSETS = [
  { domain: '', version: 21 },
  { domain: 'com.microsoft', version: 1 },
] as const

const ATTRIBUTE_FLOAT = 1
const ATTRIBUTE_INT = 2
const ATTRIBUTE_STRING = 3
const ATTRIBUTE_INTS = 7

function writeAttribute(out: MessageWriter, name: string, attribute: Attribute): void {
  out.text(1, name)
  if ('int' in attribute) {
    out.int(3, attribute.int)
    out.int(20, ATTRIBUTE_INT)
  } else if ('cast' in attribute) {
    out.int(3, ELEMENT_TYPES[attribute.cast])
    out.int(20, ATTRIBUTE_INT)
  } else if ('float' in attribute) {
    out.float(2, attribute.float)
    out.int(20, ATTRIBUTE_FLOAT)
  } else if ('text' in attribute) {
    out.text(4, attribute.text)
    out.int(20, ATTRIBUTE_STRING)
  } else {
    for (const value of attribute.ints) out.int(8, value)
    out.int(20, ATTRIBUTE_INTS)
  }
}

function writeNode(out: MessageWriter, node: GraphNode): void {
  for (const input of node.inputs) out.text(1, input)
  for (const output of node.outputs) out.text(2, output)
  out.text(3, node.path)
  out.text(4, node.op)
  for (const [name, attribute] of Object.entries(node.attributes)) out.message(5, (child) => writeAttribute(child, name, attribute))
  if (node.domain !== '') out.text(7, node.domain)
}

function writeInitializer(out: MessageWriter, initializer: Initializer): void {
  const { data } = initializer
  for (const size of initializer.shape) out.int(1, size)
  out.int(2, ELEMENT_TYPES[initializer.dtype])
  out.text(8, initializer.name)
  if (data.kind === 'inline') {
    out.bytes(9, data.bytes)
    return
  }
  const entries = { location: data.location, offset: String(data.offsetBytes), length: String(data.sizeBytes) }
  for (const [key, value] of Object.entries(entries)) {
    out.message(13, (entry) => {
      entry.text(1, key)
      entry.text(2, value)
    })
  }
  out.int(14, 1)
}

function writeBorder(out: MessageWriter, border: GraphBorder): void {
  out.text(1, border.name)
  out.message(2, (type) => {
    type.message(1, (tensor) => {
      tensor.int(1, ELEMENT_TYPES[border.dtype])
      tensor.message(2, (shape) => {
        for (const size of border.shape) {
          shape.message(1, (dimension) => {
            if (typeof size === 'number') dimension.int(1, size)
            else dimension.text(2, size)
          })
        }
      })
    })
  })
}

/** Serializes a graph as a ModelProto: opset 21, IR 10, com.microsoft 1. */
export function writeModelProto(graph: GraphContents): Uint8Array {
  const model = createMessageWriter()
  model.int(1, IR_VERSION)
  model.text(2, 'weightroom')
  model.message(7, (out) => {
    for (const node of graph.nodes) out.message(1, (child) => writeNode(child, node))
    out.text(2, graph.name)
    for (const initializer of graph.initializers) out.message(5, (child) => writeInitializer(child, initializer))
    for (const input of graph.inputs) out.message(11, (child) => writeBorder(child, input))
    for (const output of graph.outputs) out.message(12, (child) => writeBorder(child, output))
  })
  for (const { domain, version } of OPSETS) {
    model.message(8, (opset) => {
      opset.text(1, domain)
      opset.int(2, version)
    })
  }
  return model.finish()
}

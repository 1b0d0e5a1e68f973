// The smallest writer of ONNX models that the runtime's tests need. Format: onnx.proto (IR 10).
/** Element types of ONNX. Source: onnx.proto TensorProto.DataType. */
const ONNX_TYPE = { F32: 1, U8: 2, I8: 3, I32: 6, I64: 7, BOOL: 9, F16: 10, F64: 11, BF16: 16 } as const

type OnnxType = keyof typeof ONNX_TYPE
type Field = readonly [number, Uint8Array | string | number | bigint]

/** A tensor's bytes inside the model, or where they lie in a file of the external-data folder. */
export interface TinyInitializer {
  readonly name: string
  readonly type: OnnxType
  readonly shape: readonly number[]
  readonly bytes?: Uint8Array
  readonly external?: { readonly location: string; readonly offsetBytes: number; readonly sizeBytes: number }
}

/** A graph input or output; a string is a symbolic dimension. */
export interface TinyPort {
  readonly name: string
  readonly type: OnnxType
  readonly shape: readonly (number | string)[]
}

/** A node; number attributes are integers, `{ float }` is a float. */
export interface TinyNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly domain?: string
  readonly attributes?: Readonly<Record<string, number | { readonly float: number }>>
}

/** Serializes a model of opset 21 and com.microsoft 1. */
export function tinyOnnx(graph: {
  readonly inputs: readonly TinyPort[]
  readonly outputs: readonly TinyPort[]
  readonly nodes: readonly TinyNode[]
  readonly initializers?: readonly TinyInitializer[]
}): Uint8Array {
  const graphBytes = message([
    ...graph.nodes.map((node): Field => [1, nodeMessage(node)]),
    [2, 'tiny'],
    ...(graph.initializers ?? []).map((tensor): Field => [5, tensorMessage(tensor)]),
    ...graph.inputs.map((port): Field => [11, portMessage(port)]),
    ...graph.outputs.map((port): Field => [12, portMessage(port)]),
  ])
  const opsets: readonly Field[] = [
    [
      8,
      message([
        [1, ''],
        [2, 21],
      ]),
    ],
    [
      8,
      message([
        [1, 'com.microsoft'],
        [2, 1],
      ]),
    ],
  ]
  return message([[1, 10], [7, graphBytes], ...opsets])
}

function nodeMessage({ op, inputs, outputs, domain, attributes }: TinyNode): Uint8Array {
  return message([
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, op],
    ...Object.entries(attributes ?? {}).map(([name, value]): Field => [5, attributeMessage({ name, value })]),
    [7, domain ?? ''],
  ])
}

function attributeMessage(attribute: { readonly name: string; readonly value: number | { readonly float: number } }): Uint8Array {
  const { name, value } = attribute
  if (typeof value === 'number')
    return message([
      [1, name],
      [3, value],
      [20, 2],
    ])
  const bits = new Uint8Array(Float32Array.of(value.float).buffer)
  return concat([message([[1, name]]), Uint8Array.of((2 << 3) | 5), bits, message([[20, 1]])])
}

function tensorMessage({ name, type, shape, bytes, external }: TinyInitializer): Uint8Array {
  const head: readonly Field[] = [...shape.map((dimension): Field => [1, dimension]), [2, ONNX_TYPE[type]], [8, name]]
  if (external === undefined) return message([...head, [9, bytes ?? new Uint8Array()]])
  const entries = [
    ['location', external.location],
    ['offset', String(external.offsetBytes)],
    ['length', String(external.sizeBytes)],
  ] as const
  return message([
    ...head,
    ...entries.map(([key, value]): Field => [
      13,
      message([
        [1, key],
        [2, value],
      ]),
    ]),
    [14, 1],
  ])
}

function portMessage({ name, type, shape }: TinyPort): Uint8Array {
  const dimensions = shape.map((dimension): Field => [1, message([typeof dimension === 'number' ? [1, dimension] : [2, dimension]])])
  const tensor = message([
    [1, ONNX_TYPE[type]],
    [2, message(dimensions)],
  ])
  return message([
    [1, name],
    [2, message([[1, tensor]])],
  ])
}

function message(fields: readonly Field[]): Uint8Array {
  return concat(
    fields.map(([number, value]) => {
      if (typeof value === 'number' || typeof value === 'bigint') return concat([varint(BigInt(number << 3)), varint(BigInt(value))])
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
      return concat([varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes])
    }),
  )
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  do {
    const more = rest > 0x7fn
    bytes.push(Number(rest & 0x7fn) | (more ? 0x80 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Uint8Array.from(bytes)
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

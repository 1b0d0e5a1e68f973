// TensorProto: the description of one initializer and where its values lie. Follows onnx.proto3 (ONNX 1.20, IR 12).
import type { FieldRange, ProtoFile } from './proto-ranges'

/** Where a run of values lies: packed, or a single one with a tag of its own. */
export type ValueRun =
  { readonly kind: 'bytes'; readonly offsetBytes: number; readonly sizeBytes: number } | { readonly kind: 'varint'; readonly value: bigint }

/** An initializer as stored; `typed` holds the runs of each typed field by its number. */
export interface TensorProto {
  readonly name: string
  readonly dataType: number
  readonly dims: readonly bigint[]
  readonly raw: { readonly offsetBytes: number; readonly sizeBytes: number } | null
  readonly typed: ReadonlyMap<number, readonly ValueRun[]>
  readonly external: ReadonlyMap<string, string> | null
}

/** Names of PyTorch exports are module paths of some 100 bytes. */
const MAX_TEXT_BYTES = 4096
/** Values that each have a tag of their own: only very old writers do that, with small tensors. */
const MAX_RUNS = 1_000_000
/** NumPy's and our own limit. */
const MAX_DIMS = 64

/** Numbers of the fields with typed values. */
export const TYPED_FIELD = { float: 4, int32: 5, int64: 7, double: 10, uint64: 11 } as const
const TYPED_NUMBERS: readonly number[] = Object.values(TYPED_FIELD)

/** Reads a short text field. Throws "checkpoint/onnx-malformed". */
export async function readText(proto: ProtoFile, field: { readonly offsetBytes: number; readonly sizeBytes: number }): Promise<string> {
  if (field.sizeBytes > MAX_TEXT_BYTES)
    throw proto.malformed(field.offsetBytes, `a name has ${field.sizeBytes} bytes; at most ${MAX_TEXT_BYTES} are read`)
  return new TextDecoder().decode(await proto.read(field))
}

/** Reads a StringStringEntryProto. */
export async function readEntry(
  proto: ProtoFile,
  range: { readonly offsetBytes: number; readonly sizeBytes: number },
): Promise<readonly [key: string, value: string]> {
  let key = ''
  let value = ''
  for await (const field of proto.fields(range)) {
    if (field.kind !== 'bytes') continue
    if (field.number === 1) key = await readText(proto, field)
    if (field.number === 2) value = await readText(proto, field)
  }
  return [key, value]
}

async function readDims(proto: ProtoFile, field: FieldRange): Promise<readonly bigint[]> {
  if (field.kind === 'varint') return [BigInt.asIntN(64, field.value)]
  if (field.kind !== 'bytes' || field.sizeBytes > MAX_DIMS * 10)
    throw proto.malformed(0, 'the dimensions of a tensor are no list of numbers')
  return [...packedVarints(await proto.read(field))].map((value) => BigInt.asIntN(64, value))
}

/** Yields packed varints; a last one that is cut off is left out, which the element count then shows. */
export function* packedVarints(bytes: Uint8Array): Generator<bigint, void, undefined> {
  let value = 0n
  let shift = 0n
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift
    shift += 7n
    if (byte < 0x80) {
      yield BigInt.asUintN(64, value)
      value = 0n
      shift = 0n
    } else if (shift >= 70n) return
  }
}

/** Reads the TensorProto in a range; values stay in the file. Throws "checkpoint/onnx-malformed". */
export async function readTensorProto(
  proto: ProtoFile,
  range: { readonly offsetBytes: number; readonly sizeBytes: number },
): Promise<TensorProto> {
  let name = ''
  let dataType = 0
  let raw: TensorProto['raw'] = null
  let isExternal = false
  let runCount = 0
  const dims: bigint[] = []
  const external = new Map<string, string>()
  const typed = new Map<number, ValueRun[]>()
  for await (const field of proto.fields(range)) {
    if (field.number === 1) {
      dims.push(...(await readDims(proto, field)))
      if (dims.length > MAX_DIMS) throw proto.malformed(range.offsetBytes, `a tensor has more than ${MAX_DIMS} dimensions`)
    } else if (field.number === 2 && field.kind === 'varint') dataType = Number(field.value)
    else if (field.number === 8 && field.kind === 'bytes') name = await readText(proto, field)
    else if (field.number === 9 && field.kind === 'bytes') raw = { offsetBytes: field.offsetBytes, sizeBytes: field.sizeBytes }
    else if (field.number === 13 && field.kind === 'bytes') {
      const [key, value] = await readEntry(proto, field)
      external.set(key, value)
    } else if (field.number === 14 && field.kind === 'varint') isExternal = field.value === 1n
    else if (TYPED_NUMBERS.includes(field.number)) {
      if (++runCount > MAX_RUNS) throw proto.malformed(range.offsetBytes, `the values of a tensor lie in more than ${MAX_RUNS} pieces`)
      const run: ValueRun = field.kind === 'varint' ? field : { kind: 'bytes', offsetBytes: field.offsetBytes, sizeBytes: field.sizeBytes }
      const runs = typed.get(field.number)
      if (runs) runs.push(run)
      else typed.set(field.number, [run])
    }
  }
  return { name, dataType, dims, raw, typed, external: isExternal ? external : null }
}

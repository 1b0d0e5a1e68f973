// An ONNX model from a file as bytes for a session: its weights stay where they are, as checked references. Follows onnx.proto3 (ONNX 1.20, IR 12).
import { openRandomAccessFile } from '../../bytes/random-access-file'
import { createExternalFiles } from '../../checkpoint/onnx/external-data'
import { createFieldReader, GRAPH_FIELD, MODEL_FIELD } from '../../checkpoint/onnx/outline'
import { createProtoFile, type ProtoFile } from '../../checkpoint/onnx/proto-ranges'
import { readTensorProto, type TensorProto } from '../../checkpoint/onnx/tensor-proto'
import { createMessageWriter, type MessageWriter } from './wire-writer'

/** Weights below this stay in the graph: shape inference reads small constants, and only from there. It is the threshold of ONNX's own tools. */
const MIN_EXTERNAL_BYTES = 1024
/** TensorProto.STRING: strings have no raw form. */
const STRING_TYPE = 8
/** ModelProto: ir_version, opset_import, graph, functions. The rest describes who wrote it, or would set session options. */
const KEPT_MODEL_FIELDS: ReadonlySet<number> = new Set([1, 8, MODEL_FIELD.functions])
/** GraphProto: node, name, input, output, value_info. */
const KEPT_GRAPH_FIELDS: ReadonlySet<number> = new Set([GRAPH_FIELD.node, 2, GRAPH_FIELD.input, GRAPH_FIELD.output, 13])

interface Rewriting {
  readonly proto: ProtoFile
  readonly read: ReturnType<typeof createFieldReader>
  readonly externals: ReturnType<typeof createExternalFiles>
  readonly locate: (file: string) => string
}

/** Where a field's content lies in the file. */
interface ByteField {
  readonly offsetBytes: number
  readonly sizeBytes: number
}

interface Reference {
  readonly location: string
  readonly offset: string
  readonly length: string | null
}

async function referenceOf(context: Rewriting, tensor: TensorProto): Promise<Reference | null> {
  const { proto, externals, locate } = context
  if (tensor.external !== null) {
    const file = await externals.get(tensor.external.get('location') ?? '')
    return { location: locate(file.path), offset: tensor.external.get('offset') ?? '0', length: tensor.external.get('length') ?? null }
  }
  if (tensor.raw === null || tensor.raw.sizeBytes < MIN_EXTERNAL_BYTES || tensor.dataType === STRING_TYPE) return null
  return { location: locate(proto.file.path), offset: String(tensor.raw.offsetBytes), length: String(tensor.raw.sizeBytes) }
}

function writeReference(out: MessageWriter, tensor: TensorProto, reference: Reference): void {
  for (const size of tensor.dims) out.int(1, size)
  out.int(2, tensor.dataType)
  out.text(8, tensor.name)
  for (const [key, value] of Object.entries(reference)) {
    if (typeof value !== 'string') continue
    out.message(13, (entry) => {
      entry.text(1, key)
      entry.text(2, value)
    })
  }
  out.int(14, 1)
}

async function writeInitializer(out: MessageWriter, field: ByteField, context: Rewriting): Promise<void> {
  const tensor = await readTensorProto(context.proto, field)
  const reference = await referenceOf(context, tensor)
  if (reference === null) out.bytes(GRAPH_FIELD.initializer, await context.read(field))
  else out.message(GRAPH_FIELD.initializer, (child) => writeReference(child, tensor, reference))
}

async function writeGraph(field: ByteField, context: Rewriting): Promise<Uint8Array> {
  const out = createMessageWriter()
  for await (const part of context.proto.fields(field)) {
    if (part.kind !== 'bytes') continue
    if (part.number === GRAPH_FIELD.initializer) await writeInitializer(out, part, context)
    else if (KEPT_GRAPH_FIELDS.has(part.number)) out.bytes(part.number, await context.read(part))
  }
  return out.finish()
}

/**
 * Reads the model at `path` without its weights: initializers of 1 KiB and more become references into the file they lie in (the model itself, or its
 * external data), so that ONNX Runtime maps instead of copying them. `locate` names a file as the session will look for it. Expects a model that
 * openOnnx and readOnnxOutline have accepted: they check ranges and everything inside nodes.
 * Throws "checkpoint/onnx-malformed", "checkpoint/unsafe-reference", "checkpoint/hard-linked-reference", "checkpoint/missing-shard".
 */
export async function rewriteOnnxModel(
  path: string,
  options: { readonly locate: (file: string) => string; readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  using file = await openRandomAccessFile(path)
  const proto = createProtoFile(file, options.signal)
  const context: Rewriting = { proto, read: createFieldReader(proto), externals: createExternalFiles(path), locate: options.locate }
  const out = createMessageWriter()
  for await (const field of proto.fields({ offsetBytes: 0, sizeBytes: file.sizeBytes })) {
    if (field.kind === 'varint' && KEPT_MODEL_FIELDS.has(field.number)) out.int(field.number, field.value)
    if (field.kind !== 'bytes') continue
    if (field.number === MODEL_FIELD.graph) out.bytes(field.number, await writeGraph(field, context))
    else if (KEPT_MODEL_FIELDS.has(field.number)) out.bytes(field.number, await context.read(field))
  }
  return out.finish()
}

// Writes PyTorch archives for tests: state dicts of strided views over storages, as torch.save writes them.
import { zipFile, type ZipSource } from './zip-writer'

/** A view of a storage. */
export interface ViewSource {
  readonly storage: string
  readonly offset?: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  /** Elements that the pickle says the storage has. */
  readonly elements: number
}

/** What a state dict or a dict around one holds. */
export type SavedSource = number | string | ViewSource | { readonly [name: string]: SavedSource }

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes[0] = 0x4a
  bytes.writeInt32LE(value, 1)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const head = Buffer.alloc(5)
  head[0] = 0x58
  head.writeUInt32LE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

function tuple(items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')])
}

function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`)
}

function isView(source: SavedSource): source is ViewSource {
  return typeof source === 'object' && 'shape' in source && Array.isArray(source.shape)
}

function saved(source: SavedSource): Buffer {
  if (typeof source === 'number') return integer(source)
  if (typeof source === 'string') return text(source)
  if (!isView(source)) {
    const items = Object.entries(source).flatMap(([name, value]) => [text(name), saved(value)])
    return Buffer.concat([Buffer.from('}('), ...items, Buffer.from('u')])
  }
  const id = tuple([text('storage'), global('torch', 'FloatStorage'), text(source.storage), text('cpu'), integer(source.elements)])
  const args = tuple([
    Buffer.concat([id, Buffer.from('Q')]),
    integer(source.offset ?? 0),
    tuple(source.shape.map(integer)),
    tuple(source.strides.map(integer)),
    Buffer.from([0x89]),
    Buffer.concat([global('collections', 'OrderedDict'), Buffer.from(')R')]),
  ])
  return Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), args, Buffer.from('R')])
}

/** The pickle of a value, protocol 2. */
function torchPickle(source: SavedSource): Buffer {
  return Buffer.concat([Buffer.from([0x80, 2]), saved(source), Buffer.from('.')])
}

/** An archive of F32 storages and the pickle of `source`. `records` stand beside them. */
export function torchArchive(
  source: SavedSource,
  options: { readonly storages: Readonly<Record<string, Uint8Array>>; readonly deflate?: boolean; readonly records?: readonly ZipSource[] },
): Buffer {
  const deflate = options.deflate ?? false
  return zipFile([
    { name: 'archive/data.pkl', bytes: torchPickle(source), deflate },
    ...Object.entries(options.storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes, deflate })),
    ...(options.records ?? []),
  ])
}

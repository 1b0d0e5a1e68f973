// A checkpoint under other names: the same bytes, and parts of stacked tensors as tensors of their own.
import type { Checkpoint, TensorInfo, TensorRange, TensorRows } from './types'

/** One tensor of the view: the source tensor, or one of `count` equal parts along its first axis. */
export interface RenamedTensor {
  readonly source: string
  readonly part?: { readonly index: number; readonly count: number }
}

interface Entry {
  readonly info: TensorInfo
  readonly source: string
  readonly offsetBytes: number
  /** Rows of the source before the first one of this tensor. */
  readonly firstRow: number
}

/** Rows of a tensor, where a row is what its last dimension holds. */
function rowsOf({ shape }: Pick<TensorInfo, 'shape'>): number {
  return shape.slice(0, -1).reduce((product, size) => product * size, 1)
}

/** Part `index` of `count` of a tensor that is stacked along its first axis. A stack of blocks can be cut where whole blocks end, which equal parts of rows do. */
function partOf(
  info: TensorInfo,
  part: { readonly index: number; readonly count: number },
): { readonly info: TensorInfo; readonly offsetBytes: number } {
  const sizeBytes = info.sizeBytes / part.count
  const offsetBytes = part.index * sizeBytes
  const shape = info.shape.slice(1)
  if (info.storage !== 'computed') return { info: { ...info, shape, sizeBytes, offsetBytes: info.offsetBytes + offsetBytes }, offsetBytes }
  const { block } = info
  const blockBytes = (block?.sizeBytes ?? 0) / part.count
  const shifted = block && { block: { ...block, offsetBytes: block.offsetBytes + part.index * blockBytes, sizeBytes: blockBytes } }
  return { info: { ...info, shape, sizeBytes, ...shifted }, offsetBytes }
}

/**
 * Shows the tensors of a checkpoint under new names; tensors that `names` leaves out are not shown. Disposing the view disposes the checkpoint.
 * Every source and part must exist.
 */
export function renameCheckpoint(checkpoint: Checkpoint, names: ReadonlyMap<string, RenamedTensor>): Checkpoint {
  const entries = new Map<string, Entry>()
  for (const [name, { source, part }] of names) {
    const info = checkpoint.tensors.get(source)
    if (info === undefined) continue
    const shown = part === undefined ? { info, offsetBytes: 0 } : partOf(info, part)
    const firstRow = (part?.index ?? 0) * rowsOf(shown.info)
    entries.set(name, { info: { ...shown.info, name }, source, offsetBytes: shown.offsetBytes, firstRow })
  }
  const readRange = ({ name, offsetBytes, ...range }: TensorRange): Promise<Uint8Array> => {
    const entry = entries.get(name)
    const offset = offsetBytes + (entry?.offsetBytes ?? 0)
    return checkpoint.readRange({ ...range, name: entry?.source ?? name, offsetBytes: offset })
  }
  const { readQuantized } = checkpoint
  return {
    ...checkpoint,
    ...(readQuantized && {
      readQuantized: (rows: TensorRows) => {
        const { source = rows.name, firstRow = 0 } = entries.get(rows.name) ?? {}
        return readQuantized({ ...rows, name: source, firstRow: firstRow + rows.firstRow })
      },
    }),
    tensors: new Map([...entries].map(([name, { info }]) => [name, info])),
    readRange,
    read: (name, signal) => {
      const entry = entries.get(name)
      if (entry === undefined || entry.info.sizeBytes === checkpoint.tensors.get(entry.source)?.sizeBytes)
        return checkpoint.read(entry?.source ?? name, signal)
      return readRange({ name, offsetBytes: 0, sizeBytes: entry.info.sizeBytes, ...(signal && { signal }) })
    },
    [Symbol.dispose]: () => checkpoint[Symbol.dispose](),
  }
}

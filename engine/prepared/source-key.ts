// The name of a prepared file: a hash of what it is made from and how. Any change of a source file gives another name.
import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import type { Checkpoint } from '../checkpoint/types'
import { engineError } from '../errors'
import { systemReason } from './write-failure'

/** Raised whenever the same source would be prepared into other bytes. */
const PREPARED_VERSION = 2
/** Read at both ends of every file; its size, its time of change and the tables of its tensors tell the rest. */
const EDGE_BYTES = 64 * 1024

/**
 * A name for what `options` make of a checkpoint on this kind of machine. The source's identity is, for every file, its size, time of change and both ends, and
 * the table of tensors; the path is not part of it. Throws "prepared/read-failed".
 */
export async function sourceKey(
  checkpoint: Pick<Checkpoint, 'files' | 'tensors' | 'format'>,
  options: { readonly recipe: unknown; readonly signal?: AbortSignal },
): Promise<string> {
  const hash = createHash('sha256')
  hash.update(JSON.stringify({ version: PREPARED_VERSION, machine: process.arch, format: checkpoint.format, recipe: options.recipe }))
  for (const { path, sizeBytes } of checkpoint.files) {
    if (options.signal?.aborted === true) throw engineError('runtime/aborted', { what: 'Preparing the weights' })
    hash.update(await fileIdentity(path, sizeBytes))
  }
  for (const tensor of checkpoint.tensors.values()) {
    // The order of columns is read from the files, whose identity is known.
    const { file: _file, inputOrder: _order, ...identity } = { inputOrder: null, ...tensor }
    hash.update(JSON.stringify(identity))
  }
  return hash.digest('hex').slice(0, 40)
}

async function fileIdentity(path: string, sizeBytes: number): Promise<Buffer> {
  try {
    const { mtimeMs, size } = await stat(path)
    if (size !== sizeBytes) throw engineError('prepared/source-changed', { path })
    const hash = createHash('sha256').update(`${size} ${mtimeMs}`)
    const handle = await open(path, 'r')
    try {
      const edge = Buffer.alloc(Math.min(EDGE_BYTES, size))
      for (const offset of [0, size - edge.length]) {
        const { bytesRead } = await handle.read(edge, 0, edge.length, offset)
        hash.update(edge.subarray(0, bytesRead))
      }
    } finally {
      await handle.close()
    }
    return hash.digest()
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'EngineError') throw cause
    throw engineError('prepared/read-failed', { path, reason: systemReason(cause) }, cause)
  }
}

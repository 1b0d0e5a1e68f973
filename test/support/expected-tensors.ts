// Compares a checkpoint with the tensors that a real library read from the same files.
import { createHash } from 'node:crypto'
import { openCheckpoint } from '../../engine/checkpoint/open'
import type { Checkpoint } from '../../engine/checkpoint/types'

/** Dtype, shape and sha256 of every tensor, by name; read as a whole and in small ranges, which must agree. */
export async function tensorDigests(checkpoint: Checkpoint): Promise<Readonly<Record<string, string>>> {
  const digests: Record<string, string> = {}
  for (const { name, dtype, shape, sizeBytes } of [...checkpoint.tensors.values()].sort((left, right) =>
    left.name < right.name ? -1 : 1,
  )) {
    const bytes = await checkpoint.read(name)
    const ranges = createHash('sha256')
    for (let offsetBytes = 0; offsetBytes < sizeBytes; offsetBytes += 7) {
      ranges.update(await checkpoint.readRange({ name, offsetBytes, sizeBytes: Math.min(7, sizeBytes - offsetBytes) }))
    }
    const whole = createHash('sha256').update(bytes).digest('hex')
    const inParts = ranges.digest('hex')
    digests[name] = `${dtype} [${shape.join(', ')}] ${whole}${inParts === whole ? '' : ` but in parts ${inParts}`}`
  }
  return digests
}

/** The digests of a safetensors file. */
export async function expectedDigests(path: string): Promise<Readonly<Record<string, string>>> {
  using checkpoint = await openCheckpoint(path)
  return await tensorDigests(checkpoint)
}

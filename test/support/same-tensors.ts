// Compares two checkpoints tensor by tensor, byte by byte.
import { expect } from 'vitest'
import type { Checkpoint } from '../../engine/checkpoint/types'

/** Expects the same names, dtypes, shapes and bytes, in whatever order, and that a read in odd pieces gives the same bytes. */
export async function expectSameTensors(found: Checkpoint, expected: Checkpoint): Promise<void> {
  expect([...found.tensors.keys()].sort()).toEqual([...expected.tensors.keys()].sort())
  for (const { name, dtype, shape, sizeBytes } of expected.tensors.values()) {
    expect(found.tensors.get(name)).toMatchObject({ dtype, shape, sizeBytes })
    const bytes = await expected.read(name)
    expect(Buffer.compare(await found.read(name), bytes)).toBe(0)
    const middle = Math.min(3, sizeBytes)
    const rest = await found.readRange({ name, offsetBytes: middle, sizeBytes: sizeBytes - middle })
    expect(Buffer.compare(rest, bytes.subarray(middle))).toBe(0)
  }
}

// The reference GGUF file: every block type equals what the gguf library makes of it.
import { describe, expect, it } from 'vitest'
import { readFile } from 'node:fs/promises'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import type { Checkpoint } from '../../../../engine/checkpoint/types'
import { decodeFloat32 } from '../../../../engine/tensor/decode'
import { hasReference, referencePath } from '../../../support/reference'

interface GgufManifest {
  readonly files: readonly { readonly file: string; readonly expected: string }[]
  readonly types: readonly string[]
}

const manifest: GgufManifest = hasReference
  ? (JSON.parse(await readFile(referencePath('checkpoints/manifest-gguf.json'), 'utf8')) as GgufManifest)
  : { files: [], types: [] }

const open = (file: string): Promise<Checkpoint> => openCheckpoint(referencePath('checkpoints', file))

describe.skipIf(!hasReference)('reference GGUF', () => {
  it.each(manifest.files)('reads every tensor of $file as the library does, bit for bit', async ({ file, expected: expectedFile }) => {
    using found = await open(file)
    using expected = await open(expectedFile)
    expect([...found.tensors.keys()].sort()).toEqual([...expected.tensors.keys()].sort())
    for (const { name, dtype, shape } of expected.tensors.values()) {
      const tensor = found.tensors.get(name)
      expect(tensor).toMatchObject({ shape })
      // The expected file has F16 as F32, too; here it keeps its dtype.
      const bytes = await found.read(name)
      const values = tensor?.dtype === dtype ? bytes : new Uint8Array(decodeFloat32(bytes, tensor?.dtype ?? dtype).buffer)
      expect(Buffer.compare(values, await expected.read(name)), name).toBe(0)
    }
  })

  it('holds every block type that the manifest names', async () => {
    for (const { file } of manifest.files) {
      using found = await open(file)
      const types = [...found.tensors.values()].flatMap((tensor) =>
        tensor.storage === 'computed' && tensor.block ? [tensor.block.type] : [],
      )
      expect(new Set(types)).toEqual(new Set(manifest.types))
    }
  })

  it('gives the same bytes for any range of a tensor', async () => {
    for (const { file } of manifest.files) {
      using found = await open(file)
      for (const { name, sizeBytes } of found.tensors.values()) {
        const whole = await found.read(name)
        for (const [start, end] of [
          [0, 1],
          [3, Math.min(1027, sizeBytes)],
          [128, Math.min(2048, sizeBytes)],
          [sizeBytes - 5, sizeBytes],
          [sizeBytes, sizeBytes],
        ] as const) {
          const part = await found.readRange({ name, offsetBytes: start, sizeBytes: end - start })
          expect(Buffer.compare(part, whole.subarray(start, end)), name).toBe(0)
        }
      }
    }
  })
})

// `inspect` of a GGUF file: block types and metadata, for people and as JSON.
import { describe, expect, it } from 'vitest'
import { hasReference, referencePath } from '../../support/reference'
import { weightroom } from './run-command-line'

describe.skipIf(!hasReference)('weightroom inspect FILE.gguf', () => {
  const file = referencePath('checkpoints', 'quantized.gguf')

  it('lists the block types and the metadata', async () => {
    const { exitCode, stdout } = await weightroom(['inspect', file])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^blk\.Q4_K +F32 from Q4_K \[16, 256\]/m)
    expect(stdout).toMatch(/^metadata +general\.architecture: llama$/m)
  })

  it('says in JSON where the blocks lie', async () => {
    const { stdout } = await weightroom(['inspect', file, '--json'])
    const { tensors } = JSON.parse(stdout) as { readonly tensors: readonly Record<string, unknown>[] }
    expect(tensors.find(({ name }) => name === 'blk.Q8_0')).toMatchObject({
      dtype: 'F32',
      shape: [16, 32],
      computed: 'dequantized',
      block: { type: 'Q8_0', sizeBytes: 16 * 34 },
    })
  })
})

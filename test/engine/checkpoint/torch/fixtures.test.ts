// Checkpoints of kinds that trainers write, made by PyTorch (test/fixtures/torch/make_torch_checkpoints.py): every tensor is what PyTorch's state_dict() holds.
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { expectedDigests, tensorDigests } from '../../../support/expected-tensors'

const folder = resolve(import.meta.dirname, '../../../fixtures/torch')
const files = readdirSync(folder).filter((name) => /\.(pt|ckpt)$/.test(name))

let expected: Readonly<Record<string, string>>
beforeAll(async () => {
  expected = await expectedDigests(join(folder, 'expected.safetensors'))
})

describe('a checkpoint of PyTorch', () => {
  it.each(files)('%s holds what PyTorch says', async (file) => {
    using checkpoint = await openCheckpoint(join(folder, file))
    const own = Object.entries(expected).filter(([key]) => key.startsWith(`${file}/`))
    expect(own.length).toBeGreaterThan(0)
    expect(await tensorDigests(checkpoint)).toEqual(Object.fromEntries(own.map(([key, digest]) => [key.slice(file.length + 1), digest])))
  })

  it('says which tensors it could not give and why', async () => {
    using checkpoint = await openCheckpoint(join(folder, 'odd-tensors.pt'))
    const notes = checkpoint.notes.map(({ text }) => text).join('\n')
    for (const [name, reason] of Object.entries({
      sparse: 'sparse',
      csr: 'sparse',
      quantized: 'quantized',
      per_channel: 'quantized',
      meta: 'without data',
      nested: 'nested',
      conjugate: 'a lazy conjugate or negative view',
      lazy: 'not initialized',
    }))
      expect(notes).toContain(`${name} is ${reason}`)
    expect(notes).toContain('complex128: a dtype that safetensors does not have')
  })

  it('says what a training checkpoint holds beside its weights', async () => {
    using checkpoint = await openCheckpoint(join(folder, 'two-models.pt'))
    expect(checkpoint.notes[0]?.text).toBe(
      'The weights are those under "generator", "discriminator"; left out beside them: optimizers, epoch.',
    )
  })

  it('leaves out tensors that are attributes of a script module and no weights', async () => {
    using checkpoint = await openCheckpoint(join(folder, 'script.pt'))
    expect([...checkpoint.tensors.keys()]).not.toContain('attribute')
    expect(checkpoint.notes.map(({ text }) => text).join('\n')).toContain('attribute')
  })
})

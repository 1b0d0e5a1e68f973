// PyTorch's reference files: good ones hold the expected tensors, hostile ones are refused with their codes, quickly and without a trace.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { engineCode } from '../../../support/engine-code'
import { hasReference, referencePath } from '../../../support/reference'
import { expectSameTensors } from '../../../support/same-tensors'

interface ManifestEntry {
  readonly file: string
  readonly form: string
  readonly refused?: boolean
  readonly expected?: string
  readonly tied?: readonly (readonly string[])[]
  readonly state_dict_at?: string
}

const CODES: Readonly<Record<string, string>> = {
  'evil-system.bin': 'checkpoint/pickle-runs-command',
  'evil-eval.bin': 'checkpoint/pickle-runs-code',
  'evil-getattr.bin': 'checkpoint/pickle-reaches-inside',
  'evil-torch-hub.bin': 'checkpoint/pickle-call-refused',
  'evil-inst.bin': 'checkpoint/pickle-instance-refused',
  'evil-build.bin': 'checkpoint/pickle-build-refused',
  'memo-bomb.bin': 'checkpoint/pickle-expands',
  'deep.bin': 'checkpoint/pickle-too-deep',
  'short-storage.bin': 'checkpoint/storage-too-short',
  'no-storage.bin': 'checkpoint/storage-missing',
  'traversal.bin': 'bytes/zip-unsafe-name',
  'bomb.bin': 'bytes/zip-bomb',
  'truncated.bin': 'bytes/zip-truncated',
}

const FORMATS: Readonly<Record<string, string>> = { 'torch-zip': 'pytorch', 'torch-legacy': 'pytorch-legacy', torchscript: 'torchscript' }

const manifest = hasReference
  ? (JSON.parse(readFileSync(referencePath('checkpoints/manifest.json'), 'utf8')) as { readonly files: readonly ManifestEntry[] }).files
  : []
const good = manifest.filter(({ form }) => Object.hasOwn(FORMATS, form))
const hostile = manifest.filter(({ file, refused }) => refused === true && file.endsWith('.bin'))

describe.skipIf(!hasReference)('PyTorch reference files', () => {
  it.each(good.map((entry) => [entry.file, entry] as const))('reads %s as torch does', async (file, entry) => {
    using found = await openCheckpoint(referencePath('checkpoints', file))
    using expected = await openCheckpoint(referencePath('checkpoints', entry.expected ?? ''))
    expect(found.format).toBe(FORMATS[entry.form])
    await expectSameTensors(found, expected)
    for (const names of entry.tied ?? []) expect(found.notes.map(({ text }) => text).join('\n')).toContain(`${names.join(' = ')} are tied`)
    if (entry.state_dict_at !== undefined)
      expect(found.notes.map(({ text }) => text).join('\n')).toContain(`under "${entry.state_dict_at}"`)
  })

  it('gives every hostile file a code of its own', () => {
    expect(new Set(Object.values(CODES)).size).toBe(Object.keys(CODES).length)
  })

  it('knows every hostile PyTorch file of the manifest', () => {
    expect(hostile.map(({ file }) => file).sort()).toEqual(Object.keys(CODES).sort())
  })

  it.each(Object.entries(CODES))('refuses %s with %s', async (file, code) => {
    const before = readdirSync('.').sort()
    expect(await engineCode(() => openCheckpoint(referencePath('checkpoints', file)))).toBe(code)
    expect(readdirSync('.').sort()).toEqual(before)
  })
})

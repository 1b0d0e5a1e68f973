// The safetensors files of the reference data: hostile ones are refused, each with its code; good ones hold the expected tensors.
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { engineCode } from '../../support/engine-code'
import { hasReference, referencePath } from '../../support/reference'

interface ManifestEntry {
  readonly file: string
  readonly form: string
  readonly refused?: boolean
  readonly expected?: string
}

const CODES: Readonly<Record<string, string>> = {
  'html.safetensors': 'checkpoint/html-page',
  'st-huge-header.safetensors': 'checkpoint/header-too-large',
  'st-overlap.safetensors': 'checkpoint/overlapping-tensors',
  'st-gap.safetensors': 'checkpoint/gap-between-tensors',
  'st-beyond.safetensors': 'checkpoint/truncated-file',
  'st-descending.safetensors': 'checkpoint/descending-offsets',
  'st-negative.safetensors': 'checkpoint/negative-offset',
  'st-shape-mismatch.safetensors': 'checkpoint/size-mismatch',
  'st-shape-overflow.safetensors': 'checkpoint/shape-overflow',
  'st-dtype.safetensors': 'checkpoint/unknown-dtype',
  'st-duplicate.safetensors': 'checkpoint/duplicate-key',
  'st-deep.safetensors': 'checkpoint/header-too-deep',
  'st-trailing.safetensors': 'checkpoint/trailing-bytes',
  'st-proto.safetensors': 'checkpoint/malformed-header',
}

const manifest: readonly ManifestEntry[] = hasReference
  ? (JSON.parse(await readFile(referencePath('checkpoints/manifest.json'), 'utf8')) as { readonly files: readonly ManifestEntry[] }).files
  : []
const hostile = manifest.filter(({ file, refused }) => refused && file.endsWith('.safetensors')).map(({ file }) => file)

describe.skipIf(!hasReference)('reference checkpoints', () => {
  it('covers every hostile safetensors file of the manifest', () => {
    expect(hostile.sort()).toEqual(Object.keys(CODES).sort())
  })

  it('gives every hostile file a code of its own', () => {
    expect(new Set(Object.values(CODES)).size).toBe(Object.keys(CODES).length)
  })

  it.each(Object.entries(CODES))('refuses %s with %s', async (file, code) => {
    expect(await engineCode(() => openCheckpoint(referencePath('checkpoints', file)))).toBe(code)
  })

  it('reads meta.safetensors as its expected tensors', async () => {
    using found = await openCheckpoint(referencePath('checkpoints/meta.safetensors'))
    using expected = await openCheckpoint(referencePath('checkpoints/meta.safetensors.expected.safetensors'))
    expect([...found.tensors.keys()].sort()).toEqual([...expected.tensors.keys()].sort())
    for (const { name, dtype, shape } of expected.tensors.values()) {
      expect(found.tensors.get(name)).toMatchObject({ dtype, shape })
      expect(await found.read(name)).toEqual(await expected.read(name))
    }
    expect(Object.keys(found.metadata).length).toBeGreaterThan(0)
  })

  it('opens every expected file of the other formats', async () => {
    const files = readdirSync(referencePath('checkpoints')).filter((name) => name.endsWith('.expected.safetensors'))
    expect(files.length).toBeGreaterThan(20)
    for (const file of files) {
      using checkpoint = await openCheckpoint(referencePath('checkpoints', file))
      for (const name of checkpoint.tensors.keys()) await checkpoint.read(name)
    }
  })
})

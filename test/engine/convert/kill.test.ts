// A process that is killed in the middle: no final name, and the next run goes on with what was proven.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convert } from '../../../engine/convert/convert'
import type { ConversionReport, ConversionRequest } from '../../../engine/convert/types'
import { bundle, type Bundle } from '../../main/support/bundle'
import { safetensorsFile } from '../../support/safetensors-writer'
import { temporaryFolder } from '../../support/temporary-folder'
import { noiseTensor } from './some-checkpoint'

let built: Bundle
beforeAll(async () => {
  built = await bundle({ 'killed-conversion': 'test/engine/convert/killed-conversion.ts' })
})
afterAll(() => built[Symbol.dispose]())

const tensors = Array.from({ length: 6 }, (_, index) => noiseTensor(`w${index}`, 'F32', [100, 64]))
const SHARD_BYTES = 100 * 64 * 4

/** Runs a conversion in a process of its own, which dies when the event arrives for the given time. */
function runAndKill(request: Omit<ConversionRequest, 'signal'>, death: { readonly at: string; readonly count: number }): void {
  const { signal } = spawnSync(process.execPath, [built.file('killed-conversion'), JSON.stringify(request), JSON.stringify(death)])
  expect(signal).toBe('SIGKILL')
}

/** Names below a folder that a finished conversion would have. */
function finalNames(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(bin|json|pth|npz)$/.test(name))
}

function reusedFiles(report: ConversionReport): readonly string[] {
  return report.files.filter(({ reused }) => reused).map(({ file }) => file)
}

describe('a killed conversion', () => {
  it('leaves no file under its final name, and the next run uses the proven shards and nothing else', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile(tensors, { format: 'pt' }))
    const request = { source, to: 'torch', out: join(folder.path, 'out'), maxShardBytes: SHARD_BYTES } as const
    runAndKill(request, { at: 'file-verified', count: 3 })
    expect(finalNames(folder.path)).toEqual([])
    expect(existsSync(request.out)).toBe(false)

    const report = await convert(request)
    expect(reusedFiles(report)).toEqual([
      'pytorch_model-00001-of-00006.bin',
      'pytorch_model-00002-of-00006.bin',
      'pytorch_model-00003-of-00006.bin',
    ])
    const fresh = await convert({ ...request, out: join(folder.path, 'fresh') })
    expect(report.tensors).toEqual(fresh.tensors)
    for (const file of readdirSync(request.out))
      expect(Buffer.compare(readFileSync(join(request.out, file)), readFileSync(join(folder.path, 'fresh', file)))).toBe(0)
    expect(readdirSync(folder.path).sort()).toEqual(['a.safetensors', 'fresh', 'out'])
  })

  it('whose shards were tampered with writes them again', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile(tensors))
    const request = { source, to: 'torch', out: join(folder.path, 'out'), maxShardBytes: SHARD_BYTES } as const
    runAndKill(request, { at: 'file-verified', count: 3 })
    const files = join(folder.path, '.out.weightroom-partial', 'files')
    const flip = (name: string, offset: number): void => {
      const bytes = readFileSync(join(files, name))
      bytes[offset] = (bytes[offset] ?? 0) ^ 1
      writeFileSync(join(files, name), bytes)
    }
    // One bit of tensor data, one bit of the archive's directory.
    flip('pytorch_model-00001-of-00006.bin.part', 10_000)
    const second = 'pytorch_model-00002-of-00006.bin.part'
    flip(second, readFileSync(join(files, second)).length - 10)
    const report = await convert(request)
    expect(reusedFiles(report)).toEqual(['pytorch_model-00003-of-00006.bin'])
    const fresh = await convert({ ...request, out: join(folder.path, 'fresh') })
    expect(report.tensors).toEqual(fresh.tensors)
  })

  it('is forgotten when something else is asked for', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile(tensors))
    const request = { source, to: 'torch', out: join(folder.path, 'out'), maxShardBytes: SHARD_BYTES } as const
    runAndKill(request, { at: 'file-verified', count: 3 })
    const report = await convert({ ...request, dtype: 'F16' })
    expect(reusedFiles(report)).toEqual([])
    expect(readdirSync(folder.path).sort()).toEqual(['a.safetensors', 'out'])
  })

  it('is forgotten when the source changed since', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile(tensors))
    const request = { source, to: 'torch', out: join(folder.path, 'out'), maxShardBytes: SHARD_BYTES } as const
    runAndKill(request, { at: 'file-verified', count: 3 })
    folder.write('a.safetensors', safetensorsFile(tensors, { later: 'yes' }))
    expect(reusedFiles(await convert(request))).toEqual([])
  })

  it('survives being killed at every system call of giving final names', async () => {
    for (const existing of [false, true]) {
      for (let count = 1; ; count++) {
        using folder = temporaryFolder()
        const source = folder.write('a.safetensors', safetensorsFile(tensors.slice(0, 2), { format: 'pt' }))
        if (existing) folder.write('out/mine.txt', 'kept')
        const request = { source, to: 'torch', out: join(folder.path, 'out'), maxShardBytes: SHARD_BYTES } as const
        const { signal, status } = spawnSync(process.execPath, [
          built.file('killed-conversion'),
          JSON.stringify(request),
          JSON.stringify({ at: 'rename', count }),
        ])
        if (signal === null) {
          expect(status).toBe(0)
          expect(count).toBeGreaterThan(3)
          break
        }
        // Whatever has a final name by now is complete; with a folder of its own it is all or nothing.
        if (!existing && existsSync(request.out)) expect(readdirSync(request.out)).toHaveLength(3)
        const report = await convert({ ...request, force: existing })
        expect(report.totals.tensors).toBe(2)
        expect(readdirSync(folder.path).sort()).toEqual(['a.safetensors', 'out'])
        expect(readdirSync(request.out)).toHaveLength(existing ? 4 : 3)
      }
    }
  })
})

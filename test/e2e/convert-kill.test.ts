// `weightroom convert` as a process that is killed in the middle: nothing under its final name, and the same call again finishes with the proven shards.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import type { ConversionReport } from '../../engine/convert/types'
import { openCheckpoint } from '../../engine/checkpoint/open'
import { safetensorsFile } from '../support/safetensors-writer'
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder'

const cli = resolve(import.meta.dirname, '../../out/main/cli.mjs')
const SHARDS = 24
const SHARD_BYTES = 256 * 1024

/** A model of as many shards as the result has; each waits for the disk, so that there is time to be killed in. */
function writeSource(folder: TemporaryFolder): string {
  const bytes = Uint8Array.from({ length: SHARD_BYTES }, (_, index) => Math.imul(index, 2_654_435_761) >>> 27)
  const names = Array.from({ length: SHARDS }, (_, index) => `model-${String(index + 1).padStart(5, '0')}-of-000${SHARDS}.safetensors`)
  names.forEach((name, index) => {
    bytes[0] = index
    folder.write(`source/${name}`, safetensorsFile([{ name: `w${index}`, dtype: 'F32', shape: [SHARD_BYTES / 4], bytes }]))
  })
  const weight_map = Object.fromEntries(names.map((name, index) => [`w${index}`, name]))
  folder.write('source/model.safetensors.index.json', JSON.stringify({ metadata: { total_size: SHARDS * SHARD_BYTES }, weight_map }))
  return join(folder.path, 'source')
}

/** Whether a line of the journal is whole; the last one may have been cut off. */
function isWhole(line: string): boolean {
  try {
    return JSON.parse(line) !== null
  } catch {
    return false
  }
}

/** How many files the journal of an unfinished conversion calls proven. */
function provenFiles(journal: string): number {
  if (!existsSync(journal)) return 0
  const lines = readFileSync(journal, 'utf8').split('\n')
  return lines.filter((line) => line.startsWith('{"file"') && isWhole(line)).length
}

/** Starts the conversion and kills it when some shards are proven and others are not. */
async function startAndKill(
  args: readonly string[],
  journal: string,
): Promise<{ readonly signal: string | null; readonly proven: number }> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: 'ignore' })
  const ended = new Promise<string | null>((done) => child.on('close', (_, signal) => done(signal)))
  const watch = setInterval(() => {
    if (provenFiles(journal) >= 2) child.kill('SIGKILL')
  }, 2)
  const signal = await ended
  clearInterval(watch)
  return { signal, proven: provenFiles(journal) }
}

it.skipIf(!existsSync(cli) || process.platform === 'win32')(
  'a killed conversion leaves no final name and is finished by the same call',
  async () => {
    using folder = temporaryFolder()
    const out = join(folder.path, 'result')
    const args = ['convert', writeSource(folder), '--to', 'torch', '--out', out, '--max-shard-size', String(SHARD_BYTES), '--json']
    const partial = join(folder.path, '.result.weightroom-partial')
    const { signal, proven } = await startAndKill(args, join(partial, 'journal.jsonl'))
    expect(signal).toBe('SIGKILL')
    expect(proven).toBeGreaterThanOrEqual(2)
    expect(proven).toBeLessThan(SHARDS)
    expect(existsSync(out)).toBe(false)
    const left = readdirSync(partial, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(partial, name)).isFile())
    expect(left.filter((name) => !name.endsWith('.part')).sort()).toEqual(['journal.jsonl', 'process'])

    const again = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 })
    expect({ status: again.status, stderr: again.stderr }).toEqual({ status: 0, stderr: '' })
    const report = JSON.parse(again.stdout) as ConversionReport
    expect(report.files.filter(({ reused }) => reused)).toHaveLength(proven)
    expect(report.totals).toMatchObject({ tensors: SHARDS, identicalTensors: SHARDS })
    expect(readdirSync(folder.path).sort()).toEqual(['result', 'source'])
    using written = await openCheckpoint(out)
    using source = await openCheckpoint(join(folder.path, 'source'))
    for (const name of source.tensors.keys()) expect(Buffer.compare(await written.read(name), await source.read(name))).toBe(0)
  },
)

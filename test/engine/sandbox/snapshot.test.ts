// The kept memory of the interpreter: where it lies, that a changed one is not used, and that old ones go.
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { keepSnapshot, readSnapshot, snapshotPath } from '../../../engine/sandbox/python/snapshot'
import { temporaryFolder } from '../../support/temporary-folder'

const memory = Uint8Array.from({ length: 1000 }, (_, index) => index % 251)
const other = (letter: string): string => `python-${letter.repeat(32)}.snapshot`

function pathIn(folder: string): string {
  return snapshotPath(['program'], { XDG_CACHE_HOME: folder }, { platform: 'linux', home: '/nowhere' })
}

it('comes back as it was written, and not at all once a byte has changed', async () => {
  using scratch = temporaryFolder()
  const path = pathIn(scratch.path)
  expect(await readSnapshot(path)).toBeNull()
  await keepSnapshot(path, memory)
  expect(await readSnapshot(path)).toEqual(Buffer.from(memory))
  const file = readFileSync(path)
  file[file.length - 1] = (file.at(-1) ?? 0) ^ 1
  writeFileSync(path, file)
  expect(await readSnapshot(path)).toBeNull()
})

it('takes away what another version has not used for a month, and nothing else', async () => {
  using scratch = temporaryFolder()
  const path = pathIn(scratch.path)
  await keepSnapshot(path, memory)
  const folder = join(scratch.path, 'weightroom')
  const longAgo = new Date(Date.now() - 40 * 24 * 3600 * 1000)
  for (const name of [other('a'), `${other('b')}.123`, 'prepared.snapshot']) {
    writeFileSync(join(folder, name), 'x')
    utimesSync(join(folder, name), longAgo, longAgo)
  }
  writeFileSync(join(folder, other('c')), 'x')
  await keepSnapshot(path, memory)
  expect(readdirSync(folder).sort()).toEqual(['prepared.snapshot', other('c'), path.slice(folder.length + 1)].sort())
})

it('costs nothing where the folder takes no file', async () => {
  using scratch = temporaryFolder()
  writeFileSync(join(scratch.path, 'weightroom'), '')
  await keepSnapshot(pathIn(scratch.path), memory)
  expect(await readSnapshot(pathIn(scratch.path))).toBeNull()
})

// What a hostile file can do to a person's terminal: nothing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { rawSafetensors } from '../../support/safetensors-writer'
import { weightroom } from './run-command-line'

/** Retitles the window, colours, clears the screen (once as C1), ends the line, reverses the text. */
const NAME = 'weight\u001b]0;title\u0007\u001b[31m\u009b2J\r\n\u202eend'

let folder = ''
let honest = ''
let lying = ''

/** A safetensors file with one tensor whose data offsets end at `endBytes`; 8 bytes of data. */
async function write(name: string, endBytes: number): Promise<string> {
  const header = {
    __metadata__: { 'a\u001b[2J': 'b\u001b[5m\nc' },
    [NAME]: { dtype: 'F32', shape: [2], data_offsets: [0, endBytes] },
  }
  const path = join(folder, name)
  await writeFile(path, rawSafetensors(JSON.stringify(header), new Uint8Array(8)))
  return path
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weightroom-cli-'))
  honest = await write('honest.safetensors', 8)
  lying = await write('lying.safetensors', 800)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const CONTROL = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u

it('writes control characters of names and metadata out, one tensor a line', async () => {
  const { exitCode, stdout } = await weightroom(['inspect', honest])
  expect(exitCode).toBe(0)
  expect(stdout).not.toMatch(CONTROL)
  expect(stdout.split('\n').filter((line) => line.startsWith('weight'))).toEqual([
    String.raw`weight\u001b]0;title\u0007\u001b[31m\u009b2J\u000d\u000a\u202eend  F32   [2]  8 B`,
  ])
})

it('writes control characters of a tensor that is looked at out', async () => {
  const { exitCode, stdout } = await weightroom(['inspect', honest, '--tensor', NAME])
  expect(exitCode).toBe(0)
  expect(stdout).not.toMatch(CONTROL)
})

it('keeps the exact name in JSON, escaped', async () => {
  const { stdout } = await weightroom(['inspect', honest, '--json'])
  expect(stdout).not.toMatch(CONTROL)
  expect(JSON.parse(stdout)).toMatchObject({ tensors: [{ name: NAME }], metadata: { 'a\u001b[2J': 'b\u001b[5m\nc' } })
})

it('says an error that names a tensor in one line without control characters', async () => {
  const { exitCode, stdout, stderr, code } = await weightroom(['inspect', lying])
  expect({ exitCode, stdout, code }).toEqual({ exitCode: 1, stdout: '', code: 'checkpoint/size-mismatch' })
  expect(stderr).not.toMatch(CONTROL)
})

// The command line's manners: exit codes, where things are written, and one sentence per failure.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { weightroom } from './run-command-line'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weightroom-cli-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('usage', () => {
  it('prints its version and its help on standard output, exit 0', async () => {
    expect(await weightroom(['--version'])).toEqual({ exitCode: 0, stdout: '1.2.3\n', stderr: '', code: null })
    const help = await weightroom(['--help'])
    expect(help.exitCode).toBe(0)
    for (const command of ['run', 'inspect', 'tokenize', 'logits', 'bench']) expect(help.stdout).toContain(`  ${command} `)
  })

  it.each([
    { title: 'an unknown command', args: ['frobnicate'] },
    { title: 'an unknown option', args: ['run', 'guide', 'hi', '--frobnicate'] },
    { title: 'a missing model', args: ['run'] },
    { title: 'a temperature that is no number', args: ['run', 'guide', 'hi', '--temperature', 'warm'] },
    { title: 'a top-p above 1', args: ['run', 'guide', 'hi', '--top-p', '1.5'] },
    { title: 'zero tokens', args: ['run', 'guide', 'hi', '--max-tokens', '0'] },
    { title: 'a format that does not exist', args: ['run', 'guide', 'hi', '--format', 'q3'] },
    { title: 'ids that are no ids', args: ['logits', 'guide', '--ids', '1,x', '--out', 'f'] },
    { title: 'logits without a file', args: ['logits', 'guide', '--ids', '1'] },
    { title: 'tokenize without a text', args: ['tokenize', 'guide'] },
    { title: 'tokenize with a text and a file', args: ['tokenize', 'guide', '--text', 'a', '--file', 'b'] },
  ])('refuses $title with exit 2, nothing on standard output', async ({ args }) => {
    const { exitCode, stdout, stderr } = await weightroom(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^error: /)
  })

  it.each(['run', 'inspect', 'tokenize', 'logits', 'bench'])(
    'says in one line that %s got a model that does not exist, exit 1',
    async (command) => {
      const more: Readonly<Record<string, readonly string[]>> = {
        run: ['hi'],
        tokenize: ['--text', 'a'],
        logits: ['--ids', '1', '--out', join(folder, 'f')],
      }
      const { exitCode, stdout, stderr } = await weightroom([command, join(folder, 'nothing'), ...(more[command] ?? []), '--json'])
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toMatch(/^error\[cli\/model-not-found\]: .*\n$/)
    },
  )

  it('passes on the code of an engine failure', async () => {
    const { exitCode, stderr } = await weightroom(['logits', folder, '--ids', '1', '--out', join(folder, 'f')])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^error\[config\/missing\]: .*\n$/)
  })

  it('asks for a prompt when neither an argument nor standard input has one', async () => {
    expect(await weightroom(['run', 'guide'], { stdin: ' \n' })).toMatchObject({
      exitCode: 1,
      code: 'cli/no-prompt',
    })
  })

  it('refuses lines that are not a JSON array of texts', async () => {
    const path = join(folder, 'texts.json')
    await writeFile(path, '{"a":1}')
    expect(await weightroom(['tokenize', 'guide', '--file', path, '--lines-json'])).toMatchObject({
      exitCode: 1,
      code: 'cli/wrong-shape',
    })
    await writeFile(path, '[')
    expect(await weightroom(['tokenize', 'guide', '--file', path, '--lines-json'])).toMatchObject({
      exitCode: 1,
      code: 'cli/not-json',
    })
  })
})

// The built command line as people start it: a process of its own, real signals, closed pipes, a terminal.
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const cli = resolve(root, 'out/main/cli.mjs')
const isBuilt = existsSync(cli)
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0

/** Talks long enough to be stopped. */
const WILD = ['--temperature', '5', '--top-k', '0', '--top-p', '1', '--max-tokens', '1900', '--seed', '1']

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

function start(args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [cli, ...args])
}

function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  return new Promise((done, failed) => {
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', failed)
    child.on('close', (code, signal) => {
      done({ code, signal, stdout, stderr })
    })
  })
}

async function weightroom(args: readonly string[]): Promise<Ended> {
  const child = start(args)
  child.stdin.end()
  return ended(child)
}

const PEAK_LIMIT_BYTES = 250 * 1000 * 1000

describe.skipIf(!isBuilt)('the built command line', () => {
  it("is executable, and says the package's version", async () => {
    const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { version: string }
    expect(readFileSync(cli, 'utf8').startsWith('#!/usr/bin/env node\n')).toBe(true)
    expect(await weightroom(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` })
  })

  it('answers from the built-in model', async () => {
    const { code, stdout, stderr } = await weightroom(['run', 'guide', 'What is safetensors?'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/safetensors/i)
  })

  it('stays below 250 MB', async () => {
    const { stdout } = await weightroom(['bench', 'guide', '--prompt', '64', '--tokens', '32', '--runs', '1', '--json'])
    expect((JSON.parse(stdout) as { peakMemoryBytes: number }).peakMemoryBytes).toBeLessThan(PEAK_LIMIT_BYTES)
  })

  it.skipIf(process.platform === 'win32')('keeps what was said when Ctrl-C stops it, exit 130', async () => {
    const child = start(['run', 'guide', 'Hello', ...WILD])
    child.stdout.once('data', () => child.kill('SIGINT'))
    const { code, signal, stdout, stderr } = await ended(child)
    expect({ code, signal, stderr }).toEqual({ code: 130, signal: null, stderr: '' })
    expect(stdout.trim().length).toBeGreaterThan(0)
  })

  it('ends quietly when nobody reads on', async () => {
    const child = start(['run', 'guide', 'Hello', ...WILD])
    child.stdout.once('data', () => child.stdout.destroy())
    const { code, stderr } = await ended(child)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('answers a failure with one sentence and no stack trace', async () => {
    const { code, stdout, stderr } = await weightroom(['run', resolve(root, 'docs'), 'hi'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error\[config\/missing\]: [^\n]+\n$/)
  })

  it.skipIf(!hasScript)('chats in a terminal and leaves with /exit', async () => {
    const command = `"${process.execPath}" "${cli}" run guide --max-tokens 40`
    const child = spawn('script', ['-qec', command, '/dev/null'])
    const whole = ended(child)
    // What is typed once the text before it has been seen.
    const typed = [
      { after: /is ready/, text: 'What is a shard?\n' },
      { after: /tokens\/s/, text: '/exit\n' },
    ]
    let heard = ''
    child.stdout.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
      if (typed[0]?.after.test(heard) === true) child.stdin.write(typed.shift()?.text ?? '')
    })
    const { code, stdout } = await whole
    expect(code).toBe(0)
    expect(stdout).toMatch(/shard/i)
    expect(stdout).toMatch(/\[\d+ tokens, [\d.]+ tokens\/s, first after \d+ ms/)
  })
})

// The package as people install it: built from an Electron folder without downloads, opened, listed, and its command run.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from './hosts/app-process'

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
const missing = process.platform === 'linux' && has('dpkg-deb') ? null : 'dpkg-deb is not installed'

/** A folder laid out as Electron's: Node itself stands in for the binary, which as a command line it is. */
function standInElectron(folder: string): void {
  mkdirSync(join(folder, 'resources'), { recursive: true })
  copyFileSync(process.execPath, join(folder, 'electron'))
  chmodSync(join(folder, 'electron'), 0o755)
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { devDependencies: { electron: string } }
  writeFileSync(join(folder, 'version'), manifest.devDependencies.electron)
  writeFileSync(join(folder, 'LICENSE'), 'stand-in')
}

describe.skipIf(missing !== null)(`the .deb${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  const work = mkdtempSync(join(tmpdir(), 'weightroom-package-'))
  const installed = join(work, 'installed')
  let deb = ''
  let listing: readonly string[] = []

  beforeAll(() => {
    standInElectron(join(work, 'electron'))
    const built = spawnSync(
      process.execPath,
      [
        'scripts/package.mjs',
        '--electron-dist',
        join(work, 'electron'),
        '--target',
        'deb',
        '--compression',
        'gz',
        '--out',
        join(work, 'dist'),
      ],
      { cwd: root, encoding: 'utf8' },
    )
    expect(built.status, built.stdout + built.stderr).toBe(0)
    deb = join(work, 'dist', readdirSync(join(work, 'dist')).find((name) => name.endsWith('.deb')) ?? '')
    execFileSync('dpkg-deb', ['--extract', deb, installed])
    listing = execFileSync('find', ['.', '-type', 'f'], { cwd: installed, encoding: 'utf8' }).split('\n')
  }, 300_000)
  afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 5 }))

  it('names itself, its architecture and its dependencies', () => {
    const control = execFileSync('dpkg-deb', ['--field', deb], { encoding: 'utf8' })
    expect(control).toMatch(/^Package: weightroom$/m)
    expect(control).toMatch(/^Architecture: (amd64|arm64)$/m)
    expect(control).toMatch(/^Depends: .*libgtk-3-0/m)
  })

  it('carries the built-in model, the engine and the one ONNX Runtime of its platform, and no training data or sources', () => {
    const resources = './opt/Weightroom/resources'
    expect(listing).toContain(`${resources}/guide/config.json`)
    expect(listing).toContain(`${resources}/app.asar.unpacked/out/main/engine-worker.mjs`)
    expect(listing).toContain(`${resources}/app.asar.unpacked/out/main/cli.mjs`)
    expect(listing).toContain(`${resources}/app.asar`)
    const libraries = listing.filter((path) => /onnxruntime\.(so|dll)|onnxruntime.*dylib/.test(path))
    expect(libraries.length).toBeGreaterThan(0)
    expect(libraries.filter((path) => !path.includes('/linux/'))).toEqual([])
    expect(listing.filter((path) => path.includes('guide/training') || /unpacked\/(engine|main|renderer|test)\//.test(path))).toEqual([])
  })

  it('registers its file types and a valid desktop entry', () => {
    const entry = join(installed, 'usr/share/applications/weightroom.desktop')
    const text = readFileSync(entry, 'utf8')
    expect(text).toMatch(/application\/x-safetensors/)
    expect(text).not.toMatch(/octet-stream/)
    expect(existsSync(join(installed, 'usr/share/mime/packages/weightroom.xml'))).toBe(true)
    if (has('desktop-file-validate')) execFileSync('desktop-file-validate', [entry])
  })

  it('answers `weightroom run guide` from the installed tree', () => {
    const command = join(installed, 'opt/Weightroom/resources/bin/weightroom')
    const { stdout, stderr, status } = spawnSync(command, ['run', 'guide', 'What is safetensors?', '--json'], {
      encoding: 'utf8',
      cwd: work,
      env: { ...process.env, WEIGHTROOM_DATA: join(work, 'data') },
    })
    expect(status, stderr).toBe(0)
    const answer = JSON.parse(stdout) as { text: string; finishReason: string }
    expect(answer.finishReason).toBe('stop')
    expect(answer.text).toMatch(/safetensors/i)
  })

  it('serves its page to a browser from the installed tree', async () => {
    const command = join(installed, 'opt/Weightroom/resources/bin/weightroom')
    const served = spawn(command, ['serve', '--port', '0'], { cwd: work, env: { ...process.env, WEIGHTROOM_DATA: join(work, 'data') } })
    try {
      const address = await new Promise<string>((resolve, reject) => {
        let output = ''
        const read = (chunk: Buffer): void => {
          output += chunk.toString('utf8')
          const found = /(http:\S+)/.exec(output)
          if (found?.[1] !== undefined) resolve(found[1])
        }
        served.stdout.on('data', read)
        served.stderr.on('data', read)
        served.once('exit', () => reject(new Error(output)))
      })
      const entry = await fetch(address, { redirect: 'manual' })
      const cookie = entry.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      const page = await fetch(new URL('/', address), { headers: { cookie } })
      expect(page.status).toBe(200)
      expect(await page.text()).toMatch(/<script type="module"/)
    } finally {
      // It may still be writing into the folder that is removed next.
      const ended = once(served, 'exit')
      served.kill('SIGTERM')
      await ended
    }
  })
})

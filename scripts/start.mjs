// `npm start`: builds what is out of date, then opens the desktop window where Electron's binary and a display are present, else serves the app to a browser.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const at = (...parts) => join(root, ...parts)
const say = (line) => process.stdout.write(`${line}\n`)

/** Newest modification time of the files under a path, in ms. */
function newest(path) {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function isBuilt() {
  const built = [
    'out/main/index.js',
    'out/main/cli.mjs',
    'out/main/engine-worker.mjs',
    'out/preload/index.cjs',
    'out/renderer/index.html',
    'out/engine/index.mjs',
  ]
  if (!built.every((file) => existsSync(at(file)))) return false
  const sources = ['engine', 'main', 'preload', 'renderer', 'package.json', 'electron.vite.config.ts']
  return Math.max(...sources.map((path) => newest(at(path)))) < Math.min(...built.map((file) => statSync(at(file)).mtimeMs))
}

function hasDisplay() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

/** Path of Electron's binary, or null. `require('electron')` is not asked: it would start a download. */
function electronBinary() {
  const dist = at('node_modules/electron/dist')
  const pathFile = at('node_modules/electron/path.txt')
  if (!existsSync(pathFile)) return null
  const binary = join(dist, readFileSync(pathFile, 'utf8').trim())
  return existsSync(binary) ? binary : null
}

const FETCH_LIMIT_MS = 120_000

/** Tries once to fetch Electron's binary; a refusal is not an error. */
function fetchElectron() {
  const installer = at('node_modules/electron/install.js')
  if (!existsSync(installer) || process.env.WEIGHTROOM_NO_DOWNLOAD || process.env.ELECTRON_SKIP_BINARY_DOWNLOAD) return
  say('Fetching Electron for the desktop window (once; WEIGHTROOM_NO_DOWNLOAD=1 leaves it out) ...')
  const { status } = spawnSync(process.execPath, [installer], {
    cwd: at('node_modules/electron'),
    stdio: 'ignore',
    timeout: FETCH_LIMIT_MS,
  })
  if (status !== 0) say('Electron could not be fetched; Weightroom opens in the browser instead.')
}

if (!isBuilt()) {
  say('Building Weightroom ...')
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) {
    say('The build failed; see the messages above.')
    process.exit(1)
  }
}

if (hasDisplay() && electronBinary() === null) fetchElectron()
const binary = hasDisplay() ? electronBinary() : null
const args = process.argv.slice(2)
const child = binary
  ? spawn(binary, [root, ...args], { cwd: root, stdio: 'inherit' })
  : spawn(process.execPath, [at('out/main/cli.mjs'), 'serve', ...args], { cwd: root, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 0 : (code ?? 1)))

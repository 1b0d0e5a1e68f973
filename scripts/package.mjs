// `npm run package -- [--electron-dist DIR] [--target deb|dir|...] [--compression xz|gz] [--out DIR]`: builds an installer with electron-builder.
// With --electron-dist nothing is downloaded: the given Electron folder is used, and a .deb is made with dpkg-deb.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = resolve(import.meta.dirname, '..')
const { values } = parseArgs({
  options: {
    'electron-dist': { type: 'string' },
    target: { type: 'string' },
    compression: { type: 'string' },
    out: { type: 'string' },
  },
})
const platform = { linux: '--linux', darwin: '--mac', win32: '--win' }[process.platform] ?? '--linux'
const target = values.target ?? (values['electron-dist'] && process.platform === 'linux' ? 'deb' : undefined)
const electronVersion = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')).devDependencies.electron

const args = [resolve(root, 'node_modules/electron-builder/cli.js'), platform, ...(target ? [target] : []), '--publish', 'never', `-c.electronVersion=${electronVersion}`]
const env = { ...process.env }
if (values['electron-dist']) {
  args.push(`-c.electronDist=${resolve(values['electron-dist'])}`)
  if (process.platform === 'linux') env.CUSTOM_FPM_PATH = resolve(root, 'scripts/package/fpm-over-dpkg-deb.mjs')
}
if (values.compression) args.push(`-c.deb.compression=${values.compression}`)
if (values.out) args.push(`-c.directories.output=${resolve(values.out)}`)

const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env })
process.exitCode = status ?? 1

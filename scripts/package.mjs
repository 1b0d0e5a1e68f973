// `npm run package -- [--electron-dist DIR] [--target deb|dir|...] [--compression xz|gz] [--out DIR]`: builds an installer with electron-builder.
// With --electron-dist nothing is downloaded: the given Electron folder is used, and a .deb is made with dpkg-deb.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'electron-builder'

const root = resolve(import.meta.dirname, '..')
const { values } = parseArgs({
  options: {
    'electron-dist': { type: 'string' },
    target: { type: 'string' },
    compression: { type: 'string' },
    out: { type: 'string' },
  },
})
const electronDist = values['electron-dist']
const platform = { darwin: 'mac', win32: 'win' }[process.platform] ?? 'linux'
const target = values.target ?? (electronDist && platform === 'linux' ? 'deb' : undefined)
if (electronDist && platform === 'linux') process.env.CUSTOM_FPM_PATH = resolve(root, 'scripts/package/fpm-over-dpkg-deb.mjs')

await build({
  projectDir: root,
  publish: 'never',
  [platform]: target ? [target] : [],
  // Laid over electron-builder.yml.
  config: {
    electronVersion: JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')).devDependencies.electron,
    ...(electronDist ? { electronDist: resolve(electronDist) } : {}),
    ...(values.compression ? { deb: { compression: values.compression } } : {}),
    ...(values.out ? { directories: { output: resolve(values.out) } } : {}),
  },
})

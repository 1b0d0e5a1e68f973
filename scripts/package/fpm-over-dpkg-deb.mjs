#!/usr/bin/env node
// A stand-in for fpm that makes a .deb with Debian's own dpkg-deb, for machines that cannot download fpm. Takes the arguments electron-builder passes.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

const single = new Map()
const depends = []
const recommends = []
const mappings = []
const args = process.argv.slice(2)
while (args.length > 0) {
  const name = args.shift()
  if (name === '--force' || name === '--debug') continue
  else if (name === '-d') depends.push(args.shift())
  else if (name === '--deb-recommends') recommends.push(args.shift())
  else if (name.startsWith('-')) single.set(name, args.shift())
  else mappings.push(name)
}
if (single.get('-t') !== 'deb') throw new Error(`Only .deb packages can be made here, not ${single.get('-t')}.`)

const root = mkdtempSync(join(tmpdir(), 'weightroom-deb-'))
try {
  let installedBytes = 0
  for (const mapping of mappings) {
    const split = mapping.lastIndexOf('=')
    const from = mapping.slice(0, split)
    const to = join(root, mapping.slice(split + 1))
    mkdirSync(dirname(to), { recursive: true })
    cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    if (statSync(to).isFile()) installedBytes += statSync(to).size
  }
  const measured = spawnSync('du', ['-sk', root], { encoding: 'utf8' })
  const installedKib = Number(measured.stdout.split('\t')[0]) || Math.ceil(installedBytes / 1024)
  const [synopsis = '', ...longer] = single.get('--description').split('\n')
  const control = [
    `Package: ${single.get('--name')}`,
    `Version: ${single.get('--version')}`,
    `Architecture: ${single.get('--architecture')}`,
    `Maintainer: ${single.get('--maintainer')}`,
    `Installed-Size: ${installedKib}`,
    ...(depends.length > 0 ? [`Depends: ${depends.join(', ')}`] : []),
    ...(recommends.length > 0 ? [`Recommends: ${recommends.join(', ')}`] : []),
    `Section: ${single.get('--category') ?? 'utils'}`,
    `Priority: ${single.get('--deb-priority') ?? 'optional'}`,
    `Description: ${synopsis.trim()}`,
    ...longer.map((line) => ` ${line.trim() || '.'}`),
    '',
  ].join('\n')
  const debian = join(root, 'DEBIAN')
  mkdirSync(debian)
  writeFileSync(join(debian, 'control'), control)
  for (const [option, name] of [
    ['--after-install', 'postinst'],
    ['--after-remove', 'postrm'],
  ]) {
    writeFileSync(join(debian, name), readFileSync(single.get(option)))
    chmodSync(join(debian, name), 0o755)
  }
  const compression = single.get('--deb-compression') ?? 'xz'
  const target = single.get('--package')
  const { status } = spawnSync(
    'dpkg-deb',
    ['--root-owner-group', `-Z${compression === 'gz' ? 'gzip' : compression}`, '--build', root, target],
    { stdio: 'inherit' },
  )
  if (status !== 0) throw new Error(`dpkg-deb failed for ${basename(target)}.`)
} finally {
  rmSync(root, { recursive: true, force: true })
}

// Where things are looked for: the resources, Electron's binary, a display.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { electronBinary, hasDisplay } from '../../../main/hosts/cli/open-app'
import { resourcesFolder } from '../../../main/hosts/resources-folder'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weightroom-places-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function place(...parts: readonly string[]): Promise<string> {
  const path = join(root, ...parts)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, '{}')
  return path
}

describe('resourcesFolder', () => {
  it('is found beside the built code of a clone or an npm install', async () => {
    await place('resources', 'guide', 'config.json')
    expect(resourcesFolder(join(root, 'out', 'main', 'chunks'))).toBe(join(root, 'resources'))
  })

  it('is the folder of the unpacked archive in an installed app', async () => {
    await place('opt', 'Weightroom', 'resources', 'guide', 'config.json')
    const code = join(root, 'opt', 'Weightroom', 'resources', 'app.asar.unpacked', 'out', 'main')
    expect(resourcesFolder(code)).toBe(join(root, 'opt', 'Weightroom', 'resources'))
  })

  it('is reported as missing where no folder above has the built-in model', () => {
    expect(() => resourcesFolder(join(root, 'out', 'main'))).toThrow(expect.objectContaining({ code: 'app/resources-missing' }))
  })
})

describe('the desktop window', () => {
  it('needs a display on Linux alone', () => {
    expect(hasDisplay({}, 'linux')).toBe(false)
    expect(hasDisplay({ DISPLAY: ':0' }, 'linux')).toBe(true)
    expect(hasDisplay({ WAYLAND_DISPLAY: 'wayland-0' }, 'linux')).toBe(true)
    expect(hasDisplay({}, 'darwin')).toBe(true)
  })

  it("finds Electron's binary only where it was downloaded", async () => {
    expect(electronBinary(root)).toBeNull()
    const pathFile = await place('node_modules', 'electron', 'path.txt')
    await writeFile(pathFile, 'electron')
    expect(electronBinary(root)).toBeNull()
    const binary = await place('node_modules', 'electron', 'dist', 'electron')
    expect(electronBinary(root)).toBe(binary)
  })
})

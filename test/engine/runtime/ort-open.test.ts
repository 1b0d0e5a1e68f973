// Which library is opened, and what happens where the C API cannot be reached.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { ortLibraryPath } from '../../../engine/runtime/ort/library-path'

const packageFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))

describe('ortLibraryPath', () => {
  it.each([
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['win32', 'arm64'],
  ] as const)('names a file that the package ships for %s/%s', (platform, arch) => {
    expect(existsSync(ortLibraryPath({ packageFolder, platform, arch }))).toBe(true)
  })

  it('points beside the archive of an installed app', () => {
    const installed = join('/opt', 'app.asar', 'node_modules', 'onnxruntime-node')
    const path = ortLibraryPath({ packageFolder: installed, platform: 'linux', arch: 'x64' })
    expect(path).toBe(join('/opt', 'app.asar.unpacked', 'node_modules', 'onnxruntime-node', 'bin/napi-v6/linux/x64/libonnxruntime.so.1'))
  })

  it('refuses a platform without a library', () => {
    const open = () => ortLibraryPath({ packageFolder, platform: 'aix', arch: 'ppc64' })
    expect(open).toThrow(expect.objectContaining({ code: 'runtime/ort-unavailable' }))
  })
})

describe('openOrt where koffi cannot be loaded', () => {
  afterEach(() => {
    vi.doUnmock('koffi')
    vi.resetModules()
  })

  async function importWithoutKoffi() {
    vi.resetModules()
    const load = (): never => {
      throw new Error('no koffi for this machine')
    }
    vi.doMock('koffi', () => ({ default: { config: () => ({}), load } }))
    return import('../../../engine/runtime/ort')
  }

  it('falls back to the Node binding and tells why', async () => {
    const { openOrt } = await importWithoutKoffi()
    const ort = await openOrt({})
    expect(ort.kind).toBe('node-binding')
    expect(ort.cancellable).toBe(false)
    expect(ort.fallbackReason).toBe('no koffi for this machine')
  })

  it('fails with a code when the C API was asked for', async () => {
    const { openOrt } = await importWithoutKoffi()
    await expect(openOrt({ kind: 'c-api' })).rejects.toMatchObject({ code: 'runtime/ort-unavailable' })
  })
})

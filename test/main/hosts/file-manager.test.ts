// The desktop's file manager as the browser host finds it: only before a desktop, with fixed arguments.
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { findFileManager, type FileManagerOptions } from '../../../main/hosts/web/file-manager'
import { temporaryFolder } from '../../support/temporary-folder'

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }

function find(options: Omit<FileManagerOptions, 'log' | 'start'>) {
  const started: (readonly [string, readonly string[]])[] = []
  return { show: findFileManager({ ...options, log, start: (program, args) => started.push([program, args]) }), started }
}

test('shows a folder with xdg-open, and a file by its folder', async () => {
  using folder = temporaryFolder()
  folder.write('bin/xdg-open', '#!/bin/sh\n')
  chmodSync(join(folder.path, 'bin/xdg-open'), 0o755)
  folder.write('--result/model.safetensors', 'x')
  const { show, started } = find({ platform: 'linux', env: { DISPLAY: ':0', PATH: `relative:${join(folder.path, 'bin')}` } })
  show?.(join(folder.path, '--result'))
  show?.(join(folder.path, '--result', 'model.safetensors'))
  show?.(join(folder.path, 'gone'))
  await vi.waitFor(() => expect(started).toHaveLength(2))
  const opened = [join(folder.path, 'bin/xdg-open'), [join(folder.path, '--result')]]
  expect(started).toEqual([opened, opened])
})

test.each([
  ['without a display', { PATH: '/usr/bin' }],
  ['without xdg-open', { DISPLAY: ':0', PATH: '/no-such-folder' }],
])('%s there is none', (_, env) => {
  expect(find({ platform: 'linux', env }).show).toBeUndefined()
})

test('selects the result on macOS and Windows, unless the person came through SSH', () => {
  const mac = find({ platform: 'darwin', env: {} })
  mac.show?.('/models/a b')
  expect(mac.started).toEqual([['/usr/bin/open', ['-R', '/models/a b']]])
  const windows = find({ platform: 'win32', env: { SystemRoot: 'C:\\Windows' } })
  windows.show?.('C:\\models')
  expect(windows.started[0]?.[1]).toEqual(['/select,C:\\models'])
  for (const platform of ['darwin', 'win32'] as const)
    expect(find({ platform, env: { SSH_CONNECTION: '10.0.0.2 1 10.0.0.1 22' } }).show).toBeUndefined()
})

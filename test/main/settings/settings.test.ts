import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSettingsService, defaultSettings } from '../../../main/settings/settings-service'
import type { SettingsService } from '../../../main/settings/settings-service'
import { temporaryFolder } from '../../support/temporary-folder'
import { recordingLog } from '../support/recording-log'
import { serviceCode } from '../support/service-code'
import { steppingClock } from '../support/stepping-clock'

const open = async (dataFolder: string): Promise<SettingsService> =>
  await createSettingsService({ dataFolder, clock: steppingClock(), log: recordingLog() })

test('without a file the defaults hold', async () => {
  using folder = temporaryFolder()
  expect((await open(folder.path)).get()).toEqual(defaultSettings)
})

test('a change is there after a restart, the rest stays', async () => {
  using folder = temporaryFolder()
  const settings = await open(folder.path)
  await settings.set({ theme: 'dark' })
  expect(await settings.set({ threads: 3 })).toEqual({ ...defaultSettings, theme: 'dark', threads: 3 })
  expect((await open(folder.path)).get()).toEqual({ ...defaultSettings, theme: 'dark', threads: 3 })
})

test('changes made at once are all kept', async () => {
  using folder = temporaryFolder()
  const settings = await open(folder.path)
  await Promise.all([settings.set({ theme: 'dark' }), settings.set({ language: 'zh-TW' }), settings.set({ threads: 2 })])
  expect(settings.get()).toMatchObject({ theme: 'dark', language: 'zh-TW', threads: 2 })
  expect((await open(folder.path)).get()).toEqual(settings.get())
})

test.each([
  ['cut off', '{"theme": "da'],
  ['of wrong types', '{"theme": 5}'],
  ['empty', ''],
])('a file that is %s is kept aside and the defaults hold', async (_, text) => {
  using folder = temporaryFolder()
  folder.write('settings.json', text)
  const settings = await open(folder.path)
  expect(settings.get()).toEqual(defaultSettings)
  const aside = readdirSync(folder.path).find((name) => name.startsWith('settings.json.broken-'))
  expect(readFileSync(join(folder.path, aside ?? ''), 'utf8')).toBe(text)
  await settings.set({ theme: 'light' })
  expect((await open(folder.path)).get().theme).toBe('light')
})

test('what an older or newer version wrote beside our keys does no harm', async () => {
  using folder = temporaryFolder()
  folder.write('settings.json', '{"theme": "dark", "future": {"x": 1}}')
  expect((await open(folder.path)).get()).toEqual({ ...defaultSettings, theme: 'dark' })
})

test('a weight format that this version does not know is automatic, and the rest stays', async () => {
  using folder = temporaryFolder()
  folder.write('settings.json', '{"theme": "dark", "weightFormat": "ternary"}')
  expect((await open(folder.path)).get()).toEqual({ ...defaultSettings, theme: 'dark' })
  folder.write('settings.json', '{"weightFormat": "f32-low-memory"}')
  expect((await open(folder.path)).get().weightFormat).toBe('f32-low-memory')
})

test('a file that cannot be written is said so, and nothing changes', async () => {
  using folder = temporaryFolder()
  const settings = await open(folder.path)
  mkdirSync(join(folder.path, 'settings.json'))
  expect(await serviceCode(() => settings.set({ theme: 'dark' }))).toBe('settings/not-saved')
  expect(settings.get().theme).toBe('system')
  expect(readdirSync(folder.path)).toEqual(['settings.json'])
})

// What `weightroom families` says was verified: exactly the rows that a golden fixture runs through.
import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { FAMILY_CHECKS } from '../../../engine/config/families/checks'
import { FAMILIES } from '../../../engine/config/families/table'
import { WRAPPERS } from '../../../engine/config/families/wrappers'
import { loadDecoderConfig } from '../../../engine/config/read-config'

const fixtures = resolve(import.meta.dirname, '../../fixtures/models')

it('lists a row as verified where there is a golden fixture of it, and no other', async () => {
  const folders = readdirSync(fixtures).map((name) => resolve(fixtures, name))
  const golden = folders.filter((folder) => existsSync(resolve(folder, 'golden.safetensors')))
  const compared = await Promise.all(golden.map(async (folder) => (await loadDecoderConfig(folder)).modelType))
  const rows = [...FAMILIES, ...WRAPPERS].map(({ modelTypes }) => modelTypes)
  const withFixture = rows.filter((types) => types.some((type) => compared.includes(type))).map(([first]) => first)
  const verified = rows.filter(([first = '']) => (FAMILY_CHECKS[first] ?? []).length > 0).map(([first]) => first)
  expect(verified).toEqual(withFixture)
})

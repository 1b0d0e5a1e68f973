// The message catalogues: complete, equal in placeholders, all used, and with a sentence for every code that can arrive.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { MessageText } from '../../renderer/lib/i18n/catalogue'
import { chooseLanguage } from '../../renderer/lib/i18n/choose-language'
import { formatMessage, placeholderNames } from '../../renderer/lib/i18n/format-message'
import { spoken } from '../../renderer/lib/i18n/spoken.svelte'
import { catalogues, describeError, describeRemark, errorCatalogues, remarkCatalogues, t } from '../../renderer/lib/i18n/texts'

const root = join(import.meta.dirname, '../..')
const keys = Object.keys(catalogues.en)
const forms = (text: MessageText): readonly string[] => (typeof text === 'string' ? [text] : Object.values(text))

function sourcesUnder(folder: string): string {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => /\.(ts|svelte)$/.test(file) && !file.startsWith('messages/'))
    .map((file) => readFileSync(join(root, folder, file), 'utf8'))
    .join('\n')
}

afterEach(() => spoken.choose('en'))

describe('texts', () => {
  it.each(['zh-TW', 'zh-CN'] as const)('%s has the keys of English, in the same order', (language) => {
    expect(Object.keys(catalogues[language])).toEqual(keys)
  })

  it.each(['zh-TW', 'zh-CN'] as const)('%s has the placeholders of English in every form', (language) => {
    for (const [key, text] of Object.entries(catalogues[language])) {
      const expected = placeholderNames(catalogues.en[key as 'nav.chat'])
      for (const form of forms(text)) expect([key, placeholderNames(form)]).toEqual([key, expected])
    }
  })

  it('leaves no text empty, and none of the Chinese ones in English', () => {
    for (const [language, catalogue] of Object.entries(catalogues)) {
      for (const [key, text] of Object.entries(catalogue)) {
        for (const form of forms(text)) expect([language, key, form.trim()]).not.toEqual([language, key, ''])
      }
    }
    const untranslated = keys.filter((key) => {
      const english = forms(catalogues.en[key as 'nav.chat'])[0] ?? ''
      return /[a-z]{4}/.test(english) && catalogues['zh-TW'][key as 'nav.chat'] === english
    })
    expect(untranslated).toEqual(['path.placeholder'])
  })

  it('keeps the two kinds of Chinese apart', () => {
    const taiwan = JSON.stringify([catalogues['zh-TW'], errorCatalogues['zh-TW']])
    const mainland = JSON.stringify([catalogues['zh-CN'], errorCatalogues['zh-CN']])
    expect(taiwan).not.toMatch(/[们这还设对话开关数显载权认]|軟件|默認|內存|文件夾|加載/)
    expect(mainland).not.toMatch(/[們這還設對話開關數顯載權認資檔體]|资料夹|记忆体|档案|预设/)
    expect(taiwan).toContain('資料夾')
    expect(mainland).toContain('文件夹')
  })

  it('uses every key', () => {
    const sources = sourcesUnder('renderer')
    const patterns = [...sources.matchAll(/`((?:[a-z]+[.-])+)\$\{/g)].map((match) => match[1] ?? '')
    const unused = keys.filter((key) => !sources.includes(`'${key}'`) && !patterns.some((start) => key.startsWith(start)))
    expect(unused).toEqual([])
  })

  it('chooses the plural form by the number', () => {
    expect(t('models.total', { count: 1 })).toBe('1 model')
    expect(t('models.total', { count: 12_000 })).toBe('12,000 models')
    spoken.choose('zh-TW')
    expect(t('models.total', { count: 1 })).toBe('1 個模型')
  })

  it('leaves a placeholder without a value visible', () => {
    expect(formatMessage({ text: 'Load {model}', values: {}, language: 'en' })).toBe('Load {model}')
  })

  it('writes bytes as people read them where the text asks for it', () => {
    const values = { freeBytes: 21_841_640 }
    expect(formatMessage({ text: '{freeBytes|size}, {freeBytes}', values, language: 'zh-TW' })).toBe('21.8 MB, 21,841,640')
    expect(placeholderNames('{freeBytes|size}')).toEqual(['freeBytes'])
  })
})

describe('error sentences', () => {
  const serviceSource = readFileSync(join(root, 'main/service-error.ts'), 'utf8')
  const serviceCodes = [...serviceSource.matchAll(/^ {2}'([a-z]+\/[a-z-]+)':/gm)].map((match) => match[1] ?? '')
  const engineSource = readdirSync(join(root, 'engine/errors'))
    .map((file) => readFileSync(join(root, 'engine/errors', file), 'utf8'))
    .join('\n')
  const engineCodes = [...engineSource.matchAll(/^ {2}'([a-z]+\/[a-z0-9-]+)':/gm)].map((match) => match[1] ?? '')

  it('finds the codes of engine and services', () => {
    expect(engineCodes.length).toBeGreaterThan(60)
    expect(serviceCodes.length).toBeGreaterThan(20)
  })

  it.each(['zh-TW', 'zh-CN'] as const)('%s has a sentence for every code', (language) => {
    expect([...engineCodes, ...serviceCodes].filter((code) => errorCatalogues[language][code] === undefined)).toEqual([])
  })

  it('has the same codes and placeholders in both kinds of Chinese', () => {
    const { 'zh-TW': taiwan, 'zh-CN': mainland } = errorCatalogues
    expect(Object.keys(mainland)).toEqual(Object.keys(taiwan))
    for (const [code, text] of Object.entries(taiwan))
      expect([code, placeholderNames(mainland[code] ?? '')]).toEqual([code, placeholderNames(text)])
  })

  it('asks only for details that a code carries', () => {
    const sources = `${engineSource}\n${serviceSource}`
    for (const [code, text] of Object.entries(errorCatalogues['zh-TW'])) {
      const start = sources.indexOf(`  '${code}':`)
      if (start < 0) continue
      const details = sources.slice(start, sources.indexOf('=>', start))
      for (const name of placeholderNames(text))
        expect([code, name, details.includes(`${name}: `) || details.includes(`${name}?: `)]).toEqual([code, name, true])
    }
  })

  it('speaks the chosen language, and falls back to the message for an unknown code or missing details', () => {
    const error = { code: 'checkpoint/missing-shard', message: 'English', details: { shard: 'a.safetensors', directory: '/m' } }
    expect(describeError(error)).toBe('English')
    spoken.choose('zh-TW')
    expect(describeError(error)).toBe('索引提到分片 a.safetensors，但 /m 裡沒有這個檔案。')
    expect(describeError({ ...error, code: 'future/code' })).toBe('English')
    expect(describeError({ ...error, details: { shard: 'a' } })).toBe('English')
    spoken.choose('zh-CN')
    expect(describeError({ code: 'engine/crashed', message: 'x', details: { reason: 'killed' } })).toBe('推理引擎被外部强制终止。')
  })
})

describe('sentences of remarks and reasons', () => {
  const sources = ['engine/notes.ts', 'engine/convert/standard/reasons.ts'].map((file) => readFileSync(join(root, file), 'utf8')).join('\n')
  const codes = [...sources.matchAll(/^ {2}'?([a-z][a-z0-9/-]+)'?: \(/gm)].map((match) => match[1] ?? '')

  it('finds the codes of notes and reasons', () => {
    expect(codes).toContain('checkpoint/tied')
    expect(codes).toContain('answered')
    expect(codes.length).toBeGreaterThan(45)
  })

  it.each(['zh-TW', 'zh-CN'] as const)('%s has a sentence for every code and no other', (language) => {
    expect(Object.keys(remarkCatalogues[language]).sort()).toEqual(codes.toSorted())
  })

  it('asks only for data that a code carries, the same in both kinds of Chinese', () => {
    for (const [code, sentence] of Object.entries(remarkCatalogues['zh-TW'])) {
      expect([code, placeholderNames(remarkCatalogues['zh-CN'][code] ?? '')]).toEqual([code, placeholderNames(sentence)])
      const start = sources.search(new RegExp(`^ {2}'?${code}'?: `, 'm'))
      const data = sources.slice(start, sources.indexOf('=>', start)).replace('Some', 'count: number; name: string')
      for (const name of placeholderNames(sentence)) expect([code, name, data.includes(`${name}: `)]).toEqual([code, name, true])
    }
  })

  it('speaks the chosen language; a failure that became a remark has the sentence of the failure', () => {
    const tied = { code: 'checkpoint/tied', data: { names: 'a = b' }, text: 'English' }
    expect(describeRemark(tied)).toBe('English')
    spoken.choose('zh-TW')
    expect(describeRemark(tied)).toBe('a = b 是綁定的：它們共用同一份資料。')
    expect(describeRemark({ ...tied, data: {} })).toBe('English')
    expect(describeRemark({ code: 'app/no-model', data: { path: '/m' }, text: 'x' })).toBe(
      describeError({ code: 'app/no-model', message: 'x', details: { path: '/m' } }),
    )
    spoken.choose('zh-CN')
    expect(describeRemark({ code: 'from-layers', data: { count: 12 }, text: 'x' })).toBe('共有 12 层。')
  })
})

describe('choice of language', () => {
  it.each([
    [['en-GB'], 'en'],
    [['zh-TW'], 'zh-TW'],
    [['zh-Hant-HK'], 'zh-TW'],
    [['zh-MO'], 'zh-TW'],
    [['zh'], 'zh-CN'],
    [['zh-SG'], 'zh-CN'],
    [['zh-Hans-TW'], 'zh-CN'],
    [['de-DE', 'zh-TW'], 'zh-TW'],
    [['fr'], 'en'],
    [[], 'en'],
  ] as const)('%j gives %s', (preferred, expected) => {
    expect(chooseLanguage(preferred)).toBe(expected)
  })
})

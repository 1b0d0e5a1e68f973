// Colours are written in one place.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const folder = join(import.meta.dirname, '../../renderer')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(css|svelte|ts)$/.test(file))

it('writes no colour outside of tokens.css', () => {
  const found = files
    .filter((file) => file !== join('styles', 'tokens.css'))
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8')
      const hex = file.endsWith('.ts') ? /['"`]#[0-9a-f]{3,8}\b/gi : /(?<![\w{&])#[0-9a-f]{3,8}\b/gi
      const colours = [...(text.match(hex) ?? []), ...(text.match(/\b(?:rgba?|hsla?|oklch|oklab|lab|lch|color-mix|light-dark)\(/gi) ?? [])]
      return colours.map((colour) => `${file}: ${colour}`)
    })
  expect(found).toEqual([])
})

it('uses only colours that tokens.css defines', () => {
  const tokens = new Set([...readFileSync(join(folder, 'styles/tokens.css'), 'utf8').matchAll(/(--[\w-]+):/g)].map((match) => match[1]))
  const own = new Set(['--share'])
  const unknown = files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/var\((--[\w-]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => !tokens.has(name) && !own.has(name))
      .map((name) => `${file}: ${name}`),
  )
  expect(unknown).toEqual([])
})

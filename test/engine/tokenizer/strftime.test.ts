// Dates of chat templates.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { strftime } from '../../../engine/tokenizer/strftime'

const date = new Date(2024, 6, 6, 9, 5, 3)

it.each([
  ['%d %b %Y', '06 Jul 2024'],
  ['%Y-%m-%d', '2024-07-06'],
  ['%A, %B %-d, %y', 'Saturday, July 6, 24'],
  ['%H:%M:%S %I %p %j %e %a', '09:05:03 09 AM 188  6 Sat'],
  ['%F %T %-j 100%% %Q', '2024-07-06 09:05:03 188 100% %Q'],
])('writes %s as Python does', (format, expected) => {
  expect(strftime(date, format)).toBe(expected)
})

type Row = readonly [date: readonly number[], format: string, text: string]

function isRow(value: unknown): value is Row {
  return Array.isArray(value) && value.length === 3 && Array.isArray(value[0]) && typeof value[1] === 'string'
}

it('writes every format as Python does on every date of strftime-cases.json', () => {
  const parsed: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/strftime-cases.json'), 'utf8'))
  const rows = Array.isArray(parsed) ? parsed.filter(isRow) : []
  expect(rows.length).toBeGreaterThan(500)
  const written = rows.map(([[year = 0, month = 1, ...rest], format]): Row => {
    const [day = 1, hours = 0, minutes = 0, seconds = 0] = rest
    return [[year, month, ...rest], format, strftime(new Date(year, month - 1, day, hours, minutes, seconds), format)]
  })
  expect(written).toEqual(rows)
})

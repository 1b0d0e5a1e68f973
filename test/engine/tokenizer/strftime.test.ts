// Dates of chat templates.
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

// Text from files on its way to a terminal.
import { expect, it } from 'vitest'
import { printable, printableText } from '../../../main/hosts/printable'

it('leaves what every language writes as it is', () => {
  for (const text of ['model.layers.0.weight', 'naïve 你好 😀 שלום', 'שלום\u200f!']) expect(printableText(text)).toBe(text)
  expect(printable('naïve 你好 😀 שלום')).toBe('naïve 你好 😀 שלום')
})

it('keeps lines and tabs of running text only', () => {
  expect(printableText('a\n\tb\r\u001b[2J\u009b1m')).toBe('a\n\tb\\u000d\\u001b[2J\\u009b1m')
  expect(printable('a\n\tb\u2028c\u202ed')).toBe('a\\u000a\\u0009b\\u2028c\\u202ed')
})

import { expect, test } from 'vitest'
import { titleFrom } from '../../../main/chats/title'

test('a short question is its own title', () => expect(titleFrom('What is safetensors?')).toBe('What is safetensors?'))
test('the first line that says something counts', () => expect(titleFrom('\n\n  ## Plan\nmore')).toBe('Plan'))
test('runs of white space become one space', () => expect(titleFrom('a\t b   c')).toBe('a b c'))
test('a long line is cut at a word', () => {
  const title = titleFrom('The quick brown fox jumps over the lazy dog and then runs away from everything')
  expect(title).toBe('The quick brown fox jumps over the lazy dog and then runs…')
})
test('a long line without spaces is cut between characters', () => {
  const title = titleFrom('模'.repeat(100))
  expect(Array.from(title)).toHaveLength(61)
  expect(titleFrom('😀'.repeat(100)).startsWith('😀'.repeat(60))).toBe(true)
})
test('nothing but marks is its own title', () => expect(titleFrom('***')).toBe('***'))

// `clean_up_tokenization_spaces` as Transformers 5.18 follows it (texts below were decoded by its PreTrainedTokenizerFast), and as ids arrive one by one.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cleanUpSpaces, withCleanUp } from '../../../engine/tokenizer/clean-up'
import { loadTokenizer } from '../../../engine/tokenizer/load'
import type { Tokenizer } from '../../../engine/tokenizer/types'
import { temporaryFolder } from '../../support/temporary-folder'

const words = ['[UNK]', 'a', 'b', 'n', "'", 't', "'s", "n't", "'m", "'ve", "'re", '.', ',', '?', '!', 'do', '##x', 'it']
const vocab = Object.fromEntries(words.map((word, id) => [word, id]))

async function wordTokenizer(model: object, config: object): Promise<Tokenizer> {
  using folder = temporaryFolder()
  folder.write('tokenizer.json', JSON.stringify({ model, pre_tokenizer: { type: 'WhitespaceSplit' }, decoder: null, added_tokens: [] }))
  folder.write('tokenizer_config.json', JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', ...config }))
  return await loadTokenizer(folder.path)
}

const wordLevel = { type: 'WordLevel', vocab, unk_token: '[UNK]' }
const wordPiece = { type: 'WordPiece', vocab, unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100 }
const asked = { clean_up_tokenization_spaces: true }

it.each([wordLevel, wordPiece])('takes spaces before punctuation away: $type', async (model) => {
  const tokenizer = await wordTokenizer(model, asked)
  const decoded = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecial: false })
  expect(decoded([1, 11])).toBe('a.')
  expect(decoded([15, 7, 11])).toBe("don't.")
  expect(decoded([1, 4, 2])).toBe("a'b")
  expect(decoded([3, 4, 5])).toBe("n't")
  expect(decoded([15, 7, 13])).toBe("don't?")
  expect(decoded([1, 4, 4, 2, 11, 11])).toBe("a'' b..")
  expect(decoded([15, 9, 17, 10, 12, 14, 16, 2])).toBe("do've it're,! ##x b")
})

it('leaves the spaces without the switch, and those of BPE even with it', async () => {
  const plain = await wordTokenizer(wordLevel, {})
  expect(plain.decode([1, 11], { skipSpecial: false })).toBe('a .')
  const pairs = { type: 'BPE', vocab: { a: 0, '.': 1 }, merges: [] }
  expect((await wordTokenizer(pairs, asked)).decode([0, 1], { skipSpecial: false })).toBe('a .')
  const forced = { ...asked, clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output: true }
  expect((await wordTokenizer(pairs, forced)).decode([0, 1], { skipSpecial: false })).toBe('a.')
})

it('cleans a text up that arrives in any parts as it would at once', () => {
  const part = fc.string({ unit: fc.constantFrom(' ', "'", 'n', 't', 's', 'm', 'v', 'r', 'e', '.', ',', '?', '!', 'x'), maxLength: 6 })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const stream = withCleanUp({ push: (id) => parts[id] ?? '', flush: () => '' })
      const text = parts.map((_, id) => stream.push(id)).join('') + stream.flush()
      expect(text).toBe(cleanUpSpaces(parts.join('')))
    }),
    { numRuns: 5000 },
  )
})

it('holds no more back than the last words', () => {
  const stream = withCleanUp({ push: (id) => ['so', ' it', ' goes', ' on'][id] ?? '', flush: () => '' })
  expect([0, 1, 2, 3].map((id) => stream.push(id))).toEqual(['', 'so', ' it', ' goes'])
})

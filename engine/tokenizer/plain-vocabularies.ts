// Vocabularies from before tokenizer.json, brought into its form: vocab.json with merges.txt, vocab.txt, and tiktoken's ranks. Follows the classes and converters of Transformers 5.18 (GPT2Tokenizer, Qwen2Tokenizer, RobertaTokenizer, BertTokenizer, TikTokenConverter).
import { basename, dirname, join } from 'node:path'
import { isJsonObject, readJsonFile, type JsonObject } from '../bytes/json'
import { openRandomAccessFile } from '../bytes/random-access-file'
import { engineError } from '../errors'
import { bytesToCharacters } from './byte-level'
import { ggufPreTokenizer } from './gguf/patterns'
import { MAX_VOCABULARY } from './json-vocabulary'
import type { TokenizerConfig } from './tokenizer-config'
import { createJsonTokenizer } from './tokenizer-json'
import type { Tokenizer } from './types'

/** The largest public lists (Qwen's ranks) have 3 MB. */
const MAX_LIST_BYTES = 64 * 1024 * 1024
/** Longer tokens than public ranks have; every token is looked at in all its halves. */
const MAX_RANK_BYTES = 1024

const QWEN_2 = ggufPreTokenizer('qwen2')?.expressions[0] ?? ''
const LLAMA_3 = ggufPreTokenizer('llama3')?.expressions[0] ?? ''
const KIMI = ggufPreTokenizer('kimi-k2')?.expressions[0] ?? ''

async function readLines(path: string): Promise<string[]> {
  using file = await openRandomAccessFile(path)
  const { sizeBytes } = file
  if (sizeBytes > MAX_LIST_BYTES) throw engineError('bytes/file-too-large', { path, sizeBytes, maxBytes: MAX_LIST_BYTES })
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await file.read({ offsetBytes: 0, sizeBytes }))
  return text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
}

const byteLevelCut = (regex: string): JsonObject => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
  ],
})

/** Loads vocab.json at `path` with the merges.txt beside it. Throws "tokenizer/missing", "tokenizer/corrupt-json" and what the readers throw. */
export async function loadVocabMerges(path: string, config: TokenizerConfig | null): Promise<Tokenizer> {
  const vocab = await readJsonFile(path, { maxBytes: MAX_LIST_BYTES })
  if (!isJsonObject(vocab)) throw engineError('tokenizer/corrupt-json', { path, reason: 'it holds no JSON object' })
  const lines = await readLines(join(dirname(path), 'merges.txt'))
  const merges = lines.filter((line, index) => line !== '' && !(index === 0 && line.startsWith('#version')))
  const isQwen = (config?.className ?? '').startsWith('Qwen2')
  const isRoberta = (config?.className ?? '').startsWith('Roberta')
  const eos = isRoberta ? '</s>' : '<|endoftext|>'
  const named: Record<string, string> = isQwen
    ? { eos_token: eos, pad_token: eos }
    : isRoberta
      ? { bos_token: '<s>', eos_token: eos, unk_token: '<unk>', sep_token: eos, pad_token: '<pad>', cls_token: '<s>', mask_token: '<mask>' }
      : { bos_token: eos, eos_token: eos, unk_token: eos }
  const known = Object.fromEntries(Object.entries(named).filter(([, token]) => vocab[token] !== undefined))
  const idOf = (token: string) => (typeof vocab[token] === 'number' ? [vocab[token]] : [])
  const file: JsonObject = {
    added_tokens: [],
    normalizer: isQwen ? { type: 'NFC' } : null,
    pre_tokenizer: isQwen
      ? byteLevelCut(QWEN_2)
      : { type: 'ByteLevel', add_prefix_space: config?.spacePrefixAsked === true, use_regex: true },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges },
  }
  const begin = config?.addBosToken ? idOf(config.namedTokens.get('bos_token')?.content ?? known['bos_token'] ?? '') : []
  const frame = isRoberta ? { before: idOf('<s>'), after: idOf('</s>') } : { before: begin, after: [] }
  return createJsonTokenizer(file, { path, config, kind: 'vocab-merges', frame, specialTokens: known })
}

/** Loads the vocab.txt of a BERT-like model at `path`: a token a line, its id the line's number. */
export async function loadVocabTxt(path: string, config: TokenizerConfig | null): Promise<Tokenizer> {
  const lines = await readLines(path)
  while (lines.at(-1) === '') lines.pop()
  if (lines.length > MAX_VOCABULARY)
    throw engineError('tokenizer/limit-exceeded', { path, what: 'the number of tokens', found: lines.length, max: MAX_VOCABULARY })
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]))
  const options = config?.bert ?? { lowercase: true, stripAccents: null, chinese: true }
  const names = { unk_token: '[UNK]', sep_token: '[SEP]', pad_token: '[PAD]', cls_token: '[CLS]', mask_token: '[MASK]' }
  const known = Object.fromEntries(Object.entries(names).filter(([, token]) => vocab[token] !== undefined))
  const idOf = (token: string) => (vocab[token] === undefined ? [] : [vocab[token]])
  const file: JsonObject = {
    added_tokens: [],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: options.chinese,
      strip_accents: options.stripAccents,
      lowercase: options.lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', vocab, unk_token: config?.namedTokens.get('unk_token')?.content ?? '[UNK]' },
  }
  return createJsonTokenizer(file, {
    path,
    config,
    kind: 'vocab-txt',
    frame: { before: idOf('[CLS]'), after: idOf('[SEP]') },
    specialTokens: known,
  })
}

interface RankFamily {
  readonly regex: string
  readonly normalizer: JsonObject | null
  /** Special tokens that stand behind the ranks, in order. */
  readonly special: readonly string[]
  readonly named: Readonly<Record<string, string>>
}

const numbered = (count: number, name: (index: number) => string) => Array.from({ length: count }, (_, index) => name(index))

const LLAMA_3_RANKS: RankFamily = {
  regex: LLAMA_3,
  normalizer: null,
  // As in Llama 3.1; version 3.0 has reserved tokens in four of these places.
  special: [
    ...[
      '<|begin_of_text|>',
      '<|end_of_text|>',
      '<|reserved_special_token_0|>',
      '<|reserved_special_token_1|>',
      '<|finetune_right_pad_id|>',
    ],
    ...['<|reserved_special_token_2|>', '<|start_header_id|>', '<|end_header_id|>', '<|eom_id|>', '<|eot_id|>', '<|python_tag|>'],
    ...numbered(245, (index) => `<|reserved_special_token_${index + 3}|>`),
  ],
  named: { bos_token: '<|begin_of_text|>', eos_token: '<|end_of_text|>' },
}
const QWEN_RANKS: RankFamily = {
  regex: QWEN_2,
  normalizer: { type: 'NFC' },
  special: ['<|endoftext|>', '<|im_start|>', '<|im_end|>', ...numbered(205, (index) => `<|extra_${index}|>`)],
  named: { eos_token: '<|endoftext|>' },
}
const KIMI_RANKS: RankFamily = { regex: KIMI, normalizer: null, special: [], named: {} }

/** Whether bytes are the beginning of tiktoken's ranks: base64, a space, a number. */
export function looksLikeRanks(start: Uint8Array): boolean {
  return /^[A-Za-z0-9+/]+={0,2} \d+\r?\n/.test(new TextDecoder('latin1').decode(start))
}

/** Loads tiktoken's ranks at `path`: Llama 3's tokenizer.model, Qwen's *.tiktoken, Kimi's tiktoken.model. Throws "tokenizer/corrupt-ranks", "tokenizer/limit-exceeded". */
export async function loadTiktoken(path: string, config: TokenizerConfig | null): Promise<Tokenizer> {
  const family = familyOf(path)
  const vocab: Record<string, number> = {}
  const merges: (readonly [string, string])[] = []
  const tokens = readRanks(await readLines(path), path)
  const known = new Map(tokens.map((token, rank) => [token, rank]))
  for (const [rank, token] of tokens.entries()) {
    vocab[token] = rank
    const halves: (readonly [string, string])[] = []
    for (let cut = 1; cut < token.length; cut++) {
      const pair = [token.slice(0, cut), token.slice(cut)] as const
      if (known.has(pair[0]) && known.has(pair[1])) halves.push(pair)
    }
    const rankOf = (part: string) => known.get(part) ?? 0
    merges.push(...halves.sort((a, b) => rankOf(a[0]) - rankOf(b[0]) || rankOf(a[1]) - rankOf(b[1])))
  }
  const asked = config !== null && config.addedTokens.size > 0
  const special = asked ? [] : family.special
  const file: JsonObject = {
    added_tokens: special.map((content, index) => ({ id: tokens.length + index, content, special: true, normalized: false })),
    normalizer: family.normalizer,
    pre_tokenizer: byteLevelCut(family.regex),
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges, ignore_merges: true },
  }
  const begin = special.indexOf('<|begin_of_text|>')
  return createJsonTokenizer(file, {
    path,
    config,
    kind: 'tiktoken',
    frame: { before: begin === -1 ? [] : [tokens.length + begin], after: [] },
    specialTokens: asked ? {} : family.named,
  })
}

function familyOf(path: string): RankFamily {
  if (path.endsWith('.tiktoken')) return QWEN_RANKS
  return basename(path) === 'tiktoken.model' ? KIMI_RANKS : LLAMA_3_RANKS
}

function readRanks(lines: readonly string[], path: string): string[] {
  const tokens: string[] = []
  const seen = new Set<string>()
  for (const [index, line] of lines.entries()) {
    if (line === '') continue
    const [, base64 = '', rank = ''] = /^([A-Za-z0-9+/]+={0,2}) (\d{1,8})$/.exec(line) ?? []
    const bytes = Buffer.from(base64, 'base64')
    const corrupt = (reason: string) => engineError('tokenizer/corrupt-ranks', { path, line: index + 1, reason })
    if (rank === '' || bytes.length === 0) throw corrupt('it is not base64, a space and a number')
    if (bytes.length > MAX_RANK_BYTES)
      throw engineError('tokenizer/limit-exceeded', {
        path,
        what: 'the length of a token in bytes',
        found: bytes.length,
        max: MAX_RANK_BYTES,
      })
    if (Number(rank) !== tokens.length) throw corrupt(`the rank ${rank} stands where ${tokens.length} is expected`)
    if (tokens.length >= MAX_VOCABULARY)
      throw engineError('tokenizer/limit-exceeded', { path, what: 'the number of tokens', found: tokens.length + 1, max: MAX_VOCABULARY })
    const token = bytesToCharacters(bytes)
    if (seen.has(token)) throw corrupt('the token stands in the file twice')
    seen.add(token)
    tokens.push(token)
  }
  return tokens
}

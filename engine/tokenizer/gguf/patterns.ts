// How byte-level GGUF vocabularies cut a text before they merge: the names of `tokenizer.ggml.pre` as llama.cpp knows them (src/llama-vocab.cpp, commit 00ad355), each with the expressions of the tokenizer.json it was made from.

/** Expressions applied one after the other, every one cutting the pieces of the one before at its matches. */
export interface GgufPreTokenizer {
  readonly expressions: readonly string[]
  /** A word that is a token is not cut first. */
  readonly ignoreMerges?: true
  readonly addsBos?: true
  /** False for vocabularies that hold plain text with U+2581 for spaces instead of byte characters. */
  readonly byteEncoded?: false
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const GPT_2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
const SPACES = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
/** The GPT-4 expression with a given longest run of digits. */
const gpt4 = (digits: string) => `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${SPACES}`
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
/** Words cut where an upper-case run begins, as GPT-4o and Mistral's Tekken do. */
const cased = (options: { readonly suffix: string; readonly digits: string }) =>
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${options.suffix}|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${options.suffix}|${options.digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${SPACES}`

const LLAMA_3 = gpt4('\\p{N}{1,3}')
const QWEN_2 = gpt4('\\p{N}')
const GPT_4O = cased({ suffix: `${CONTRACTIONS}?`, digits: '\\p{N}{1,3}' })
const HAN = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]'
const HAN_LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]'
const KIMI_K2 = `[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?${HAN}*${HAN_LOWER}+${CONTRACTIONS}?|[^\\r\\n\\p{L}\\p{N}]?${HAN}+${HAN_LOWER}*${CONTRACTIONS}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${SPACES}`
const CJK = '[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+'
const ASCII_MARKS = '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]'
const deepseek3 = (marksEnd: string) =>
  `${ASCII_MARKS}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+${marksEnd}|\\s+(?!\\S)|\\s+`
const DEEPSEEK_3 = ['\\p{N}{1,3}', CJK, deepseek3('[\\r\\n]*|\\s*[\\r\\n]+')]
const POPULAR_MARKS = ' ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+'
const FALCON_MARKS = '[\\p{P}\\$\\+<=>\\^~\\|`]+'
const THREE_DIGITS = '[0-9][0-9][0-9]'
/** Letters that have case, as DeepSeek's first vocabulary lists them: code points and ranges. */
const CASED_LETTERS =
  '41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376-377 37B-37D 37F 386 388-38A 38C 38E-3A1 3A3-3F5 3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B 1D6B-1D77 1D79-1D9A 1E00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D 1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE 1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102 2107 210A-2113 2115 2119-211D 2124 2126 2128 212A-212D 212F-2134 2139 213C-213F 2145-2149 214E 2183-2184 2C00-2C7B 2C7E-2CE4 2CEB-2CEE 2CF2-2CF3 A640-A66D A680-A69B A722-A76F A771-A787 A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3 104D8-104FB 10C80-10CB2 10CC0-10CF2 118A0-118DF 1E900-1E943'
    .split(' ')
    .map((range) => range.replaceAll(/[0-9A-F]+/g, '\\x{$&}'))
    .join('')
const ASIAN = '[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+'

const one = (expression: string): GgufPreTokenizer => ({ expressions: [expression] })
const DIGITS_THEN_GPT_2: GgufPreTokenizer = { expressions: ['\\p{N}', GPT_2] }
const DEFAULT: GgufPreTokenizer = { expressions: [FALCON_MARKS.replace('`', ''), GPT_2, '\\p{N}+', THREE_DIGITS] }

/** Rules with the names that share them. */
const RULES: readonly (readonly [names: string, rule: GgufPreTokenizer])[] = [
  ['default', DEFAULT],
  [
    'llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano',
    { expressions: [LLAMA_3], ignoreMerges: true, addsBos: true },
  ],
  ['dbrx smaug-bpe glm4 chatglm-bpe', one(LLAMA_3)],
  ['qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2', one(QWEN_2)],
  ['qwen35', one(`${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${SPACES}`)],
  ['minicpm5', { expressions: ['\\p{N}{1,3}', gpt4('\\p{N}+')], ignoreMerges: true }],
  ['laguna', { expressions: ['[^\\n]+|[\\n]+', QWEN_2] }],
  ['ufakzeka', one(QWEN_2.slice(CONTRACTIONS.length + 1))],
  [
    'gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert mpt olmo jais trillion granite-docling exaone4 jina-v1-en jina-v2-code roberta-bpe',
    one(GPT_2),
  ],
  ['starcoder refact command-r smollm codeshell exaone minerva-7b mellum2', DIGITS_THEN_GPT_2],
  ['falcon', { expressions: [FALCON_MARKS, GPT_2, THREE_DIGITS] }],
  ['tekken', { expressions: [cased({ suffix: '', digits: '\\p{N}' })], ignoreMerges: true, addsBos: true }],
  ['gpt-4o llama4 kanana2 talkie minimax-m2', one(GPT_4O)],
  ['tiny_aya cohere2moe', { expressions: ['\\d{1,3}(?=(?:\\d{3})*\\b)', GPT_4O] }],
  ['kimi-k2', one(KIMI_K2)],
  [
    'deepseek-llm',
    {
      expressions: [
        '[\\r\\n]',
        `\\s?[${CASED_LETTERS}]+`,
        '\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+',
        '\\s+$',
        ASIAN,
        '\\p{N}+',
      ],
    },
  ],
  ['deepseek-coder', { expressions: ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', ASIAN, '\\p{N}'] }],
  ['deepseek-v3 hunyuan-dense joyai-llm hy_v4', { expressions: DEEPSEEK_3 }],
  ['spark2_5', { expressions: ['\\p{N}{1,3}', CJK, deepseek3('|[\\r\\n]'), '\\p{N}'] }],
  ['poro-chat bloom gpt3-finnish', one(POPULAR_MARKS)],
  ['viking', { expressions: [POPULAR_MARKS, '\\p{N}'] }],
  ['superbpe', { expressions: ['\\p{N}+', '(?=(\\d{3})+(?!\\d))'] }],
  [
    'bailingmoe bailingmoe2 llada-moe',
    one("'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"),
  ],
  ['seed-coder', one(`${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${SPACES}`)],
  [
    'exaone-moe',
    one(
      `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`,
    ),
  ],
  [
    'chameleon',
    {
      expressions: [
        '<sentinel:[0-9]+>',
        '(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z',
        '([\\t\\n]|    |  )',
        '\\p{N}',
        '[\\p{P}!-/:-@\\[-`{-~]',
        GPT_2,
      ],
      addsBos: true,
    },
  ],
  ['gemma4', { expressions: ['[^\\n]+|[\\n]+'], byteEncoded: false, addsBos: true }],
  ['sarvam-moe', { expressions: ['[^\\n]+|[\\n]+'], byteEncoded: false }],
]

const BY_NAME: ReadonlyMap<string, GgufPreTokenizer> = new Map(
  RULES.flatMap(([names, rule]) => names.split(' ').map((name) => [name, rule] as const)),
)

/** The rule of a name, or null for a name that llama.cpp does not know either. A file without a name gets the default, as there. */
export function ggufPreTokenizer(name: string | null): GgufPreTokenizer | null {
  return BY_NAME.get(name === null || name === '' ? 'default' : name) ?? null
}

/**
 * The name of the rule that cuts with these expressions one after the other, or null; `gpt-2` in the list stands for GPT-2's own. Where several rules
 * cut alike, the one with the same treatment of whole words.
 */
export function ggufPreTokenizerName(expressions: readonly string[], options: { readonly ignoreMerges: boolean }): string | null {
  const wanted = expressions.map((expression) => (expression === 'gpt-2' ? GPT_2 : expression)).join('\n')
  const alike = RULES.filter(([, rule]) => rule.byteEncoded !== false && rule.expressions.join('\n') === wanted)
  const found = alike.find(([, rule]) => (rule.ignoreMerges ?? false) === options.ignoreMerges) ?? alike[0]
  return found?.[0].split(' ')[0] ?? null
}

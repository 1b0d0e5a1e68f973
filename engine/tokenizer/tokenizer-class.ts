// Which tokenizer class Transformers 5.18 picks for a model directory (models/auto/tokenization_auto.py). The class decides where spaces are put before words.

/** Model types whose tokenizer Transformers builds from the files alone, whatever class tokenizer_config.json names. */
const BUILT_FROM_FILES: ReadonlySet<string> = new Set([
  'deepseek_v2',
  'deepseek_v3',
  'deepseek_v32',
  'deepseek_v4',
  'ernie4_5',
  'ernie4_5_moe',
  'flex_olmo',
  'fuyu',
  'glm',
  'glm4',
  'glm4_moe',
  'glm4_moe_lite',
  'gpt_bigcode',
  'granite',
  'granitemoe',
  'granitemoehybrid',
  'granitemoeshared',
  'hyperclovax',
  'internlm2',
  'jamba',
  'kimi_k25',
  'kimi_linear',
  'llava',
  'llava_next',
  'mimo_v2_flash',
  'minicpm3',
  'minimax_m2',
  'ministral',
  'ministral3',
  'mistral',
  'mistral3',
  'mixtral',
  'nemotron',
  'olmo2',
  'olmo3',
  'olmo_hybrid',
  'persimmon',
  'phi3',
  'phimoe',
  'pixtral',
  'smolvlm',
  'stablelm',
  'step3p5',
])

/** Families with a class of their own that overrides what the files name. */
const OWN_CLASS: Readonly<Record<string, string>> = {
  qwen2: 'Qwen2Tokenizer',
  qwen3_5: 'Qwen3_5Tokenizer',
  qwen3_5_moe: 'Qwen3_5Tokenizer',
}

/** `llama`: words get a space before them by the `legacy` rule. `files`: everything is as the tokenizer's file says. */
export type TokenizerClass = 'llama' | 'code-llama' | 'files'

/** Picks the class. `hubClass` is `tokenizer_class` of tokenizer_config.json, else of config.json. */
export function resolveTokenizerClass(names: { readonly hubClass: string | null; readonly modelType: string | null }): TokenizerClass {
  const { hubClass, modelType } = names
  if (hubClass === null) return 'files'
  if (modelType !== null && (BUILT_FROM_FILES.has(modelType) || OWN_CLASS[modelType] !== undefined)) return 'files'
  switch (hubClass.replace(/Fast$/, '')) {
    case 'LlamaTokenizer':
      return 'llama'
    case 'CodeLlamaTokenizer':
      return 'code-llama'
    default:
      return 'files'
  }
}

/** Classes with Python files of their own that are read from their vocabularies without them: the files here say all that those do. */
const READ_WITHOUT_CODE: ReadonlySet<string> = new Set([
  'LlamaTokenizer',
  'CodeLlamaTokenizer',
  'GPT2Tokenizer',
  'Qwen2Tokenizer',
  'QWenTokenizer',
  'TikTokenTokenizer',
  'PreTrainedTokenizer',
])

/** Whether a tokenizer is read from its vocabulary alone although `auto_map` names a Python file. */
export function isKnownTokenizer(config: { readonly className: string | null; readonly modelType: string | null } | null): boolean {
  if (config === null) return false
  const { className, modelType } = config
  const byType = modelType !== null && (BUILT_FROM_FILES.has(modelType) || OWN_CLASS[modelType] !== undefined)
  return byType || (className !== null && READ_WITHOUT_CODE.has(className.replace(/Fast$/, '')))
}

const END_OF_TEXT = '<|endoftext|>'
const GPT_2_TOKENS = { bos_token: END_OF_TEXT, eos_token: END_OF_TEXT, unk_token: END_OF_TEXT }

/** Special tokens that a class has by itself where tokenizer_config.json is silent. */
const TOKENS_OF_CLASS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  GPT2Tokenizer: GPT_2_TOKENS,
  GPTNeoXTokenizer: GPT_2_TOKENS,
  CodeGenTokenizer: GPT_2_TOKENS,
  Qwen2Tokenizer: { eos_token: END_OF_TEXT, pad_token: END_OF_TEXT },
}

/** The class's own special tokens; none where Transformers builds the tokenizer from the files alone. */
export function specialTokensOfClass(config: {
  readonly className: string | null
  readonly modelType: string | null
}): Readonly<Record<string, string>> {
  const { modelType } = config
  if (modelType !== null && BUILT_FROM_FILES.has(modelType)) return {}
  const className =
    (modelType === null ? undefined : OWN_CLASS[modelType]) ?? config.className ?? (modelType === 'gpt2' ? 'GPT2Tokenizer' : '')
  return TOKENS_OF_CLASS[className.replace(/Fast$/, '')] ?? {}
}

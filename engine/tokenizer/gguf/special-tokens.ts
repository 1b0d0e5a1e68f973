// The named special tokens of a GGUF vocabulary, as chat templates see them.
import { ggufTokenId, type GgufTokenizerParts } from './vocabulary'

const NAMES = {
  bos_token: 'bos',
  eos_token: 'eos',
  unk_token: 'unknown',
  sep_token: 'seperator',
  pad_token: 'padding',
  cls_token: 'cls',
  mask_token: 'mask',
} as const

/** Texts of `bos_token`, `eos_token`, ...; `fallbacks` are the ids that hold where the metadata names none. */
export function specialTexts(
  { metadata, vocabulary }: Pick<GgufTokenizerParts, 'metadata' | 'vocabulary'>,
  fallbacks: Readonly<Record<string, number>>,
): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const [key, name] of Object.entries(NAMES)) {
    const id = ggufTokenId(metadata, { name, vocabulary, fallback: fallbacks[name] ?? null })
    const text = id === null ? undefined : vocabulary.tokens[id]
    if (text !== undefined) texts[key] = text
  }
  return texts
}

// The golden file: what sentencepiece, tokenizers and Transformers say about the tiny vocabularies (fixtures/make_golden.py).
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ChatMessage } from '../../../engine/tokenizer/types'

interface LibraryCases {
  readonly texts: readonly { readonly text: string; readonly ids: number[]; readonly decoded: string }[]
  readonly ids: readonly { readonly ids: number[]; readonly decoded: string }[]
}

interface TransformersCases {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly texts: readonly { readonly text: string; readonly ids: number[]; readonly withSpecial: number[] }[]
  readonly chats: readonly {
    readonly messages: readonly ChatMessage[]
    readonly addGenerationPrompt: boolean
    readonly text: string
    readonly ids: number[]
  }[]
}

interface JsonCases {
  readonly name: string
  readonly tokenizer: Readonly<Record<string, unknown>>
  readonly config: Readonly<Record<string, unknown>> | null
  readonly texts: readonly { readonly text: string; readonly ids: number[]; readonly withSpecial: number[] }[]
  readonly ids: readonly { readonly ids: number[]; readonly decoded: string; readonly skipped: string }[]
}

interface Golden {
  readonly json: readonly JsonCases[]
  readonly bpe: LibraryCases
  readonly unigram: LibraryCases
  readonly transformers: readonly TransformersCases[]
}

/** Path of a file among the fixtures. */
export function fixturePath(name: string): string {
  return resolve(import.meta.dirname, 'fixtures', name)
}

function isGolden(value: unknown): value is Golden {
  return typeof value === 'object' && value !== null && 'bpe' in value && 'unigram' in value && 'transformers' in value && 'json' in value
}

/** Reads the golden file. */
export function readGolden(): Golden {
  const value: unknown = JSON.parse(readFileSync(fixturePath('golden.json'), 'utf8'))
  if (!isGolden(value)) throw new Error('golden.json is not what make_golden.py writes')
  return value
}

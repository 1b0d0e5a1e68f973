// Which tokenizer and chat template a model brings, and why these: what the inspector shows. The order is loadTokenizer's, after Transformers.
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { EngineError } from '../errors'
import { nameSome, note, type Note } from '../notes'
import { loadChatTemplate } from '../tokenizer/chat-template'
import { isGgufName } from '../tokenizer/gguf/chat-templates'
import { loadTokenizer, tokenizerCandidates } from '../tokenizer/load'
import type { Tokenizer } from '../tokenizer/types'

/** A model's tokenizer and chat template. `fallbackFamily` names the family whose built-in template stands in for a missing one. */
export interface TokenizerDescription {
  readonly tokenizer: {
    readonly file: string
    readonly kind: Tokenizer['source']['kind']
    /** Why this file and no other. */
    readonly why: Note
    readonly vocabSize: number
  } | null
  readonly template: { readonly source: string; readonly fallbackFamily: string | null } | null
  /** Why one of them cannot be read, or null. */
  readonly problem: EngineError | null
}

const NOTHING: TokenizerDescription = { tokenizer: null, template: null, problem: null }

/**
 * Describes the tokenizer of a model folder, of a GGUF file, or of the folder that a weight file lies in; nothing where there is none.
 * Throws "bytes/not-found", "bytes/unreadable"; what is wrong with the tokenizer's own files is in `problem`.
 */
export async function describeTokenizer(path: string): Promise<TokenizerDescription> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    (cause: unknown) => {
      throw fileError(path, cause)
    },
  )
  const place = isFolder || isGgufName(path) ? path : dirname(path)
  const candidates = place === path && !isFolder ? [basename(path)] : await tokenizerCandidates(place)
  const [first, ...others] = candidates
  if (first === undefined) return NOTHING
  let tokenizer: TokenizerDescription['tokenizer'] = null
  try {
    const loaded = await loadTokenizer(place)
    const { kind } = loaded.source
    tokenizer = { file: first, kind, why: whyFirst(first, { others, isGguf: kind === 'gguf' }), vocabSize: loaded.vocabSize }
    const { source, fallbackFamily } = await loadChatTemplate(place, { tokenizer: loaded })
    return { tokenizer, template: { source, fallbackFamily }, problem: null }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    return { tokenizer, template: null, problem: error }
  }
}

function whyFirst(file: string, options: { readonly others: readonly string[]; readonly isGguf: boolean }): Note {
  const { others, isGguf } = options
  if (others.length > 0) return note('tokenizer/before-others', { file, others: nameSome(others) })
  return isGguf ? note('tokenizer/inside-weights') : note('tokenizer/only-one')
}

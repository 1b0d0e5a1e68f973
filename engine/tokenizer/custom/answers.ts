// What a sandbox answered, checked: it is the word of foreign code, and every number and text in it is looked at before use.
import { engineError } from '../../errors'

/** The vocabulary that a custom tokenizer says it has. */
export interface CustomVocabulary {
  /** By id; null where an id stands for nothing. */
  readonly pieces: readonly (string | null)[]
  readonly special: ReadonlySet<number>
  readonly named: Readonly<Record<string, string>>
  readonly bosTokenId: number | null
  readonly eosTokenId: number | null
}

/** Ids per encoded text: more than four per character are no tokens of it. */
const MAX_IDS = 8 * 1024 * 1024

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined

/** The problem that Python raised, or null. */
export function problemOf(answer: unknown): string | null {
  const problem = field(answer, 'problem')
  return typeof problem === 'string' ? problem : null
}

function wrong(path: string, what: string): never {
  throw engineError('tokenizer/custom-code-failed', { path, problem: `it answered with ${what}` })
}

const isId = (value: unknown, maxId: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= maxId

/** Ids, each within the vocabulary. Throws "tokenizer/custom-code-failed". */
export function asIds(answer: unknown, limits: { readonly path: string; readonly maxId: number }): number[] {
  const ids = field(answer, 'ids')
  if (!Array.isArray(ids) || ids.length > MAX_IDS) return wrong(limits.path, 'something other than a list of ids')
  const checked = ids.filter((id: unknown) => isId(id, limits.maxId))
  return checked.length === ids.length ? checked : wrong(limits.path, 'ids that are not in its vocabulary')
}

/** The one decoded text. Throws "tokenizer/custom-code-failed". */
export function asDecoded(answer: unknown, path: string): string {
  const texts = field(answer, 'texts')
  const text: unknown = Array.isArray(texts) ? texts[0] : undefined
  return typeof text === 'string' ? text : wrong(path, 'something other than a text')
}

/** Throws "tokenizer/custom-code-failed", "tokenizer/limit-exceeded". */
export function asVocabulary(answer: unknown, limits: { readonly path: string; readonly maxTokens: number }): CustomVocabulary {
  const { path, maxTokens } = limits
  const pieces = field(answer, 'pieces')
  if (!Array.isArray(pieces) || pieces.length === 0) return wrong(path, 'no vocabulary')
  if (pieces.length > maxTokens) {
    throw engineError('tokenizer/limit-exceeded', { path, what: 'the number of tokens', found: pieces.length, max: maxTokens })
  }
  const texts = pieces.filter((piece: unknown): piece is string | null => piece === null || typeof piece === 'string')
  const special = field(answer, 'special')
  const maxId = pieces.length - 1
  const ids = Array.isArray(special) ? special.filter((id: unknown) => isId(id, maxId)) : []
  if (texts.length !== pieces.length) return wrong(path, 'tokens that are no texts')
  const named = field(answer, 'named')
  const names = typeof named === 'object' && named !== null ? Object.entries(named) : []
  const idOr = (key: string): number | null => {
    const id = field(answer, key)
    return isId(id, maxId) ? id : null
  }
  return {
    pieces: texts,
    special: new Set(ids),
    named: Object.fromEntries(names.filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
    bosTokenId: idOr('bosTokenId'),
    eosTokenId: idOr('eosTokenId'),
  }
}

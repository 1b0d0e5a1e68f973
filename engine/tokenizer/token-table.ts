// The table of added tokens of one tokenizer: those of its file, of its configuration, and the named ones, each with an id. Order and ids as Transformers 5.18 gives them.
import { engineError } from '../errors'
import type { AddedToken, NumberedToken } from './added-tokens'
import { addedToken, type TokenizerConfig } from './tokenizer-config'

export interface TokenTableOptions {
  readonly path: string
  readonly config: TokenizerConfig | null
  /** Added tokens of the tokenizer's own file, with their ids. */
  readonly fileTokens: readonly NumberedToken[]
  /** A token of the file keeps its flags although the configuration names it: Transformers adds only those that a tokenizer.json lacks. */
  readonly fileFlagsHold?: boolean
  /** Names of begin, end and unknown tokens that hold where the configuration is silent. */
  readonly defaults: Readonly<Record<string, string>>
  readonly idOfPiece: (piece: string) => number | undefined
  readonly vocabularySize: number
}

/** `byId` has every added token; `named` the texts of `bos_token`, `eos_token`, ...; `size` is one more than the largest id. */
export interface TokenTable {
  readonly tokens: readonly NumberedToken[]
  readonly byId: ReadonlyMap<number, NumberedToken>
  readonly named: Readonly<Record<string, string>>
  readonly idOf: (content: string) => number | undefined
  readonly size: number
}

/** Builds the table. Throws "tokenizer/duplicate-id" when two different tokens claim one id. */
export function buildTokenTable(options: TokenTableOptions): TokenTable {
  const { config, path } = options
  const byId = new Map<number, NumberedToken>()
  const idOfContent = new Map<string, number>()
  const fileIds = new Map(options.fileTokens.map(({ content, id }) => [content, id]))
  let size = options.fileTokens.reduce((largest, { id }) => Math.max(largest, id + 1), options.vocabularySize)

  const put = (token: AddedToken, id: number): void => {
    const other = byId.get(id)
    if (other && other.content !== token.content) {
      throw engineError('tokenizer/duplicate-id', { path: config?.path ?? path, id, first: other.content, second: token.content })
    }
    // A token that is named later stays what it was, but becomes special.
    byId.set(id, other ? { ...other, special: other.special || token.special } : { ...token, id })
    idOfContent.set(token.content, id)
    size = Math.max(size, id + 1)
  }
  const idOf = (content: string): number | undefined => idOfContent.get(content) ?? fileIds.get(content) ?? options.idOfPiece(content)

  for (const [id, token] of [...(config?.addedTokens ?? [])].sort(([a], [b]) => a - b)) put(token, idOf(token.content) ?? id)
  const named = new Map<string, AddedToken>(config?.namedTokens)
  for (const [name, content] of Object.entries(options.defaults)) {
    if (!named.has(name)) named.set(name, addedToken({ content, special: true }))
  }
  const putFileTokens = () => {
    for (const token of options.fileTokens) if (!idOfContent.has(token.content)) put(token, token.id)
  }
  if (options.fileFlagsHold === true) putFileTokens()
  for (const token of [...named.values(), ...(config?.extraTokens ?? [])]) put(token, idOf(token.content) ?? size)
  putFileTokens()

  return {
    tokens: [...byId.values()],
    byId,
    named: Object.fromEntries([...named].map(([name, token]) => [name, token.content])),
    idOf,
    size,
  }
}

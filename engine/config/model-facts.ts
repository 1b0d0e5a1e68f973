// What generation needs to know of any decoder, whichever way it runs.

/** Facts of a decoder beside its graph; ids are those of its configuration. */
export interface ModelFacts {
  readonly modelType: string
  readonly vocabSize: number
  readonly bosTokenId: number | null
  readonly eosTokenIds: readonly number[]
  readonly padTokenId: number | null
}

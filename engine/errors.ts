// EngineError and the catalogue of codes: every failure the engine reports has a stable code, typed details and one English sentence.
import { bytesErrors } from './errors/bytes'
import { checkpointErrors } from './errors/checkpoint'
import { configErrors } from './errors/config'
import { convertErrors } from './errors/convert'
import { generateErrors } from './errors/generate'
import { graphErrors } from './errors/graph'
import { preparedErrors } from './errors/prepared'
import { runtimeErrors } from './errors/runtime'
import { tokenizerErrors } from './errors/tokenizer'

const catalogue = {
  ...bytesErrors,
  ...checkpointErrors,
  ...configErrors,
  ...convertErrors,
  ...generateErrors,
  ...graphErrors,
  ...preparedErrors,
  ...runtimeErrors,
  ...tokenizerErrors,
}

type Catalogue = typeof catalogue

/** Stable code of an engine failure, `area/what-happened`. */
export type ErrorCode = keyof Catalogue

/** The data that belongs to a code: what was found and what is allowed. */
export type ErrorDetails<C extends ErrorCode> = Parameters<Catalogue[C]>[0] & Readonly<Record<string, unknown>>

/** A failure with a stable code, its data, and an English sentence made from both. Match on `code`, never on the message. */
export class EngineError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: { details: Readonly<Record<string, unknown>>; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'EngineError'
    this.code = code
    this.details = options.details
  }
}

/** Makes the error for a code; the sentence comes from the catalogue. */
export function engineError<C extends ErrorCode>(code: C, details: ErrorDetails<C>, cause?: unknown): EngineError {
  // The catalogue entry of C takes exactly ErrorDetails<C>; TypeScript cannot correlate the two through the union.
  const sentence: (details: ErrorDetails<C>) => string = catalogue[code] as (details: ErrorDetails<C>) => string
  return new EngineError(code, sentence(details), { details, cause })
}

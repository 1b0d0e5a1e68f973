// What every part of the contract is made of: errors, results, entries, and the schemas that several entries share.
import * as v from 'valibot'

/** A remark or a reason that is no failure: a stable code, what belongs into its sentence, and the sentence in English. */
export interface Remark {
  readonly code: string
  readonly data: Readonly<Record<string, string | number>>
  readonly text: string
}

/** A failure as it crosses the border. `code` is stable; the renderer's message catalogue turns it into a sentence, `message` is the English fallback. */
export interface ContractError {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Result of a call, and of a stream's end. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ContractError }

/** A request with one answer. */
export interface CallEntry<I extends v.GenericSchema, O> {
  readonly input: I
  /** Phantom: the answer's type. */
  readonly output?: O
}
/** A request with many events and an end. */
export interface StreamEntry<I extends v.GenericSchema, E> {
  readonly input: I
  /** Phantom: the event's type. */
  readonly event?: E
}

/** Declares a call: `call<Output>()(inputSchema)`. */
export const call =
  <O>() =>
  <I extends v.GenericSchema>(input: I): CallEntry<I, O> => ({ input })

/** Declares a stream: `stream<Event>()(inputSchema)`. */
export const stream =
  <E>() =>
  <I extends v.GenericSchema>(input: I): StreamEntry<I, E> => ({ input })

/** Input of an entry that takes none. */
export const nothing = v.strictObject({})
/** Text of at most `maxLength` characters. */
export const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength))
/** An id that a service gave out. */
export const id = v.pipe(v.string(), v.minLength(1), v.maxLength(64))
/** A path of this machine; services check what lies there. */
export const path = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))
/** A whole number within a range. */
export const integer = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))

// A session of either binding: runs take turns, names and values are checked, a cancelled run ends with "runtime/aborted", disposal waits for the run.
import { engineError } from '../../errors'
import type { OrtRun, OrtSession, OrtValue } from '../ort-types'
import { isAborted } from './abort'
import type { Value } from './value'

/** A run with its values as native handles. */
export interface NativeRun<Handle> {
  readonly inputs: readonly { readonly name: string; readonly handle: Handle }[]
  /** A null handle asks the library to allocate. */
  readonly outputs: readonly { readonly name: string; readonly handle: Handle | null }[]
  readonly signal: AbortSignal | undefined
}

/** What a binding provides for one loaded graph. */
export interface SessionParts<Handle> {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** The value behind a public one; undefined where another runtime made it. */
  readonly lookup: (value: OrtValue) => Value<Handle> | undefined
  /** Runs the graph; returns the values of the null outputs, by position in `outputs`. Never called twice at a time. */
  readonly execute: (run: NativeRun<Handle>) => Promise<ReadonlyMap<string, Value<Handle>>>
  readonly free: () => void
}

/** One loaded graph. */
export class Session<Handle> implements OrtSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly #parts: SessionParts<Handle>
  #lastTurn: Promise<void> = Promise.resolve()
  #disposed = false

  constructor(parts: SessionParts<Handle>) {
    this.inputNames = parts.inputNames
    this.outputNames = parts.outputNames
    this.#parts = parts
  }

  readonly run = async ({ inputs, outputs, signal }: OrtRun): Promise<Readonly<Record<string, OrtValue>>> => {
    if (this.#disposed) throw engineError('runtime/disposed', { what: 'A session' })
    this.#checkNames({ inputs, outputs })
    const held: Value<Handle>[] = []
    const hold = (name: string, value: OrtValue): Handle => {
      const known = this.#parts.lookup(value)
      if (known === undefined) throw engineError('runtime/foreign-value', { name })
      const handle = known.hold()
      held.push(known)
      return handle
    }
    // Everything up to the first wait happens inside the call: from its return on, the caller may dispose what it passed in.
    try {
      return await this.#takeTurn({
        inputs: Object.entries(inputs).map(([name, value]) => ({ name, handle: hold(name, value) })),
        outputs: Object.entries(outputs).map(([name, value]) => ({ name, handle: value === null ? null : hold(name, value) })),
        signal,
      })
    } finally {
      for (const value of held) value.release()
    }
  };

  /** Frees the graph once the runs asked for so far have ended. */
  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    void this.#lastTurn.then(this.#parts.free)
  }

  #takeTurn(run: NativeRun<Handle>): Promise<Readonly<Record<string, OrtValue>>> {
    const turn = this.#lastTurn.then(async () => {
      if (isAborted(run.signal)) throw engineError('runtime/aborted', { what: 'A run' })
      const allocated = await this.#parts.execute(run)
      if (!isAborted(run.signal)) return Object.fromEntries(allocated)
      for (const value of allocated.values()) value[Symbol.dispose]()
      throw engineError('runtime/aborted', { what: 'A run' })
    })
    this.#lastTurn = turn.then(ignore, ignore)
    return turn
  }

  #checkNames({ inputs, outputs }: OrtRun): void {
    for (const name of this.inputNames) if (!Object.hasOwn(inputs, name)) throw engineError('runtime/missing-input', { name })
    refuseUnknown(inputs, this.inputNames)
    refuseUnknown(outputs, this.outputNames)
  }
}

function refuseUnknown(given: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  const names = new Set(known)
  for (const name of Object.keys(given)) if (!names.has(name)) throw engineError('runtime/unknown-value', { name, known })
}

function ignore(): void {
  // A turn's failure belongs to its own caller; the next turn only waits for its end.
}

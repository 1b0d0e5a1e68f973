// Variables by name, in scopes within scopes.
import type { Value } from './values'

/** Where names are looked up and set. */
export class Scope {
  readonly #values: Map<string, Value>
  readonly #outer: Scope | null

  constructor(outer: Scope | null, values: Map<string, Value> = new Map<string, Value>()) {
    this.#outer = outer
    this.#values = values
  }

  /** The value of the innermost scope that has the name. */
  get(name: string): Value | undefined {
    const own = this.#values.get(name)
    return own === undefined && this.#outer !== null ? this.#outer.get(name) : own
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value)
  }
}

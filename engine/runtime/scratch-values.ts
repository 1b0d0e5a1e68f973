// Small input and output values that are used again from pass to pass, so that decoding a token allocates nothing.
import type { OrtDtype, OrtRuntime, OrtValue } from './ort-types'

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}

/** One value per name; it is made anew when another shape is asked for. */
export class ScratchValues implements Disposable {
  readonly #runtime: OrtRuntime
  readonly #values = new Map<string, OrtValue>()

  constructor(runtime: OrtRuntime) {
    this.#runtime = runtime
  }

  /** The value of a name; its bytes are what the last user left, zero when it is new. */
  take(name: string, spec: { readonly dtype: OrtDtype; readonly shape: readonly number[] }): OrtValue {
    const known = this.#values.get(name)
    if (known !== undefined && sameShape(known.shape, spec.shape)) return known
    const value = this.#runtime.allocate(spec)
    known?.[Symbol.dispose]()
    this.#values.set(name, value)
    return value
  }

  int64(name: string, numbers: readonly number[]): OrtValue {
    const value = this.take(name, { dtype: 'I64', shape: [numbers.length] })
    const view = new BigInt64Array(value.bytes.buffer, value.bytes.byteOffset, numbers.length)
    numbers.forEach((number, index) => {
      view[index] = BigInt(number)
    })
    return value
  }

  int32(name: string, options: { readonly shape: readonly number[]; readonly number: number }): OrtValue {
    const value = this.take(name, { dtype: 'I32', shape: options.shape })
    new Int32Array(value.bytes.buffer, value.bytes.byteOffset, 1)[0] = options.number
    return value
  }

  [Symbol.dispose](): void {
    for (const value of this.#values.values()) value[Symbol.dispose]()
    this.#values.clear()
  }
}

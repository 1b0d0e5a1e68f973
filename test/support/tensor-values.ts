// Reading and writing the bytes of runtime values as numbers.
import type { OrtRuntime, OrtValue } from '../../engine/runtime/ort-types'

/** The live elements of an F32 value. */
export function floatsOf(value: OrtValue | undefined): Float32Array {
  if (value === undefined) throw new Error('there is no such value')
  return new Float32Array(value.bytes.buffer, value.bytes.byteOffset, value.bytes.byteLength / 4)
}

/** A new F32 value with these elements. */
export function floatValue(ort: OrtRuntime, options: { readonly shape: readonly number[]; readonly data: ArrayLike<number> }): OrtValue {
  const value = ort.allocate({ dtype: 'F32', shape: options.shape })
  floatsOf(value).set(options.data)
  return value
}

/** A new I32 value with these elements. */
export function intValue(ort: OrtRuntime, options: { readonly shape: readonly number[]; readonly data: ArrayLike<number> }): OrtValue {
  const value = ort.allocate({ dtype: 'I32', shape: options.shape })
  new Int32Array(value.bytes.buffer, value.bytes.byteOffset, options.data.length).set(options.data)
  return value
}

/** The bytes of numbers as F32. */
export function floatBytes(data: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Float32Array.from(data).buffer)
}

/** Deterministic numbers in [-1, 1). */
export function pseudoRandom(options: { readonly count: number; readonly seed: number }): Float32Array {
  let state = options.seed >>> 0
  return Float32Array.from({ length: options.count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

// The WebAssembly kernel behind quantizing: stored rows in its memory, quantized rows out of it.
import { KERNEL_WASM } from './kernel-wasm'

/** Dtypes that the kernel reads as they are stored, with the number it knows them by. */
export const KERNEL_DTYPES = { F32: 0, F16: 1, BF16: 2 } as const

/** A dtype that the kernel reads. */
export type KernelDtype = keyof typeof KERNEL_DTYPES

let bytes: Uint8Array<ArrayBuffer> | null = null

/** The module's bytes; every worker makes its own instance. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  bytes ??= new Uint8Array(Buffer.from(KERNEL_WASM, 'base64'))
  return bytes
}

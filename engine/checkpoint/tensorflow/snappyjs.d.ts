// Types of snappyjs 0.7.0 as far as they are used; the package brings none.
declare module 'snappyjs' {
  /** Throws an Error when the stream is malformed or announces more than `maxLength` bytes. */
  export function uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array
}

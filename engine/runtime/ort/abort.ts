// Whether a cancel was asked for.
/** True once the signal has fired. A call, so that the answer is asked anew after every wait instead of being narrowed away by the compiler. */
export function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

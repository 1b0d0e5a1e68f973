// The one interface to ONNX Runtime that the rest of the engine sees; implemented over the C API (koffi) and over the Node binding.

/** Element types that cross the border. `bytes` of a value are little-endian, row-major. */
export type OrtDtype = 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'U8' | 'I8' | 'BOOL'

/** A tensor that runs can read and write. `bytes` is the live CPU memory of the value (never a copy with the C API); it starts anywhere in its buffer (mind `byteOffset`, a multiple of 8) and is invalid after dispose. */
export interface OrtValue extends Disposable {
  readonly dtype: OrtDtype
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** How a session is made from graph bytes. */
export interface OrtSessionOptions {
  /** Serialized ONNX ModelProto. */
  readonly model: Uint8Array
  /** Real folder that every external-data location is relative to. */
  readonly externalDataFolder?: string
  readonly intraOpNumThreads: number
  /** false keeps memory at the checkpoint's own size: weights stay mapped, no packed second copy. */
  readonly prepacking: boolean
  readonly constantFolding: boolean
  /** Further session config entries, as ONNX Runtime names them. */
  readonly configEntries?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Values by graph input name, and the values that outputs are written into. */
export interface OrtRun {
  readonly inputs: Readonly<Record<string, OrtValue>>
  /**
   * Outputs by graph output name. A value given here is written in place (the same value may be an input too: that is how past and present share
   * one KV buffer); null lets ONNX Runtime allocate, and the value is returned by `run` and must be disposed by the caller.
   */
  readonly outputs: Readonly<Record<string, OrtValue | null>>
  readonly signal?: AbortSignal
}

/** One loaded graph. Runs are asynchronous, never overlap on one session, and stop within 100 ms of an abort ("runtime/aborted") where `OrtRuntime.cancellable`. */
export interface OrtSession extends Disposable {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly run: (run: OrtRun) => Promise<Readonly<Record<string, OrtValue>>>
}

/** A loaded ONNX Runtime library. */
export interface OrtRuntime {
  readonly kind: 'c-api' | 'node-binding'
  readonly version: string
  readonly executionProviders: readonly string[]
  readonly cancellable: boolean
  readonly createSession: (options: OrtSessionOptions) => Promise<OrtSession>
  /** Zero-filled value. */
  readonly allocate: (options: { readonly dtype: OrtDtype; readonly shape: readonly number[] }) => OrtValue
  /**
   * A value over the first bytes of another's memory, which must be as large. A run that uses it holds both; otherwise it is invalid once the other is
   * disposed. Throws "runtime/bad-shape", "runtime/foreign-value".
   */
  readonly view: (of: OrtValue, options: { readonly dtype: OrtDtype; readonly shape: readonly number[] }) => OrtValue
}

// The functions of the OrtApi table that the engine calls: index in the table, result and argument types.
// Source: ONNX Runtime onnxruntime_c_api.h / `ort_api_1_to_25` in onnxruntime_c_api.cc. The table is append-only ("DO NOT MODIFY"),
// so an index holds for every later release; it was checked against the sizes that source asserts (version 1: 101, 4: 126, 22: 317).

/** API version asked of the library: the newest whose table was checked; 1.24 and everything later serve it. */
export const ORT_API_VERSION = 24

interface ArgumentValues {
  readonly 'void *': bigint | Uint8Array | BigUint64Array | BigInt64Array | Int32Array | null
  readonly str: string
  readonly size_t: number
  readonly int: number
  readonly bool: boolean
}

interface ResultValues {
  readonly 'void *': bigint | null
  readonly str: string
  readonly int: number
  readonly void: undefined
}

/** One entry of the table. */
export interface OrtFunctionDeclaration {
  readonly index: number
  readonly result: keyof ResultValues
  readonly arguments: readonly (keyof ArgumentValues)[]
}

const P = 'void *'

/** By C name without the `Ort`; a result of `void *` is an OrtStatus, null for success. */
export const ortFunctions = {
  GetErrorCode: { index: 1, result: 'int', arguments: [P] },
  GetErrorMessage: { index: 2, result: 'str', arguments: [P] },
  /** logging level, log id, out env */
  CreateEnv: { index: 3, result: P, arguments: ['int', 'str', P] },
  DisableTelemetryEvents: { index: 6, result: P, arguments: [P] },
  /** env, model bytes, length, options, out session */
  CreateSessionFromArray: { index: 8, result: P, arguments: [P, P, 'size_t', P, P] },
  /** session, run options, input names, inputs, count, output names, count, in/out outputs */
  Run: { index: 9, result: P, arguments: [P, P, P, P, 'size_t', P, 'size_t', P] },
  CreateSessionOptions: { index: 10, result: P, arguments: [P] },
  SetSessionExecutionMode: { index: 13, result: P, arguments: [P, 'int'] },
  SetSessionGraphOptimizationLevel: { index: 23, result: P, arguments: [P, 'int'] },
  SetIntraOpNumThreads: { index: 24, result: P, arguments: [P, 'int'] },
  SetInterOpNumThreads: { index: 25, result: P, arguments: [P, 'int'] },
  SessionGetInputCount: { index: 30, result: P, arguments: [P, P] },
  SessionGetOutputCount: { index: 31, result: P, arguments: [P, P] },
  /** session, index, allocator, out name (owned by the allocator) */
  SessionGetInputName: { index: 36, result: P, arguments: [P, 'size_t', P, P] },
  SessionGetOutputName: { index: 37, result: P, arguments: [P, 'size_t', P, P] },
  CreateRunOptions: { index: 39, result: P, arguments: [P] },
  RunOptionsSetTerminate: { index: 46, result: P, arguments: [P] },
  RunOptionsUnsetTerminate: { index: 47, result: P, arguments: [P] },
  /** memory info, data, size in bytes, dims, rank, element type, out value */
  CreateTensorWithDataAsOrtValue: { index: 49, result: P, arguments: [P, P, 'size_t', P, 'size_t', 'int', P] },
  GetTensorMutableData: { index: 51, result: P, arguments: [P, P] },
  GetTensorElementType: { index: 60, result: P, arguments: [P, P] },
  GetDimensionsCount: { index: 61, result: P, arguments: [P, P] },
  /** type info, out dims, rank */
  GetDimensions: { index: 62, result: P, arguments: [P, P, 'size_t'] },
  GetTensorTypeAndShape: { index: 65, result: P, arguments: [P, P] },
  /** allocator type, memory type, out info */
  CreateCpuMemoryInfo: { index: 69, result: P, arguments: ['int', 'int', P] },
  AllocatorFree: { index: 76, result: P, arguments: [P, P] },
  GetAllocatorWithDefaultOptions: { index: 78, result: P, arguments: [P] },
  ReleaseStatus: { index: 93, result: 'void', arguments: [P] },
  ReleaseSession: { index: 95, result: 'void', arguments: [P] },
  ReleaseValue: { index: 96, result: 'void', arguments: [P] },
  ReleaseRunOptions: { index: 97, result: 'void', arguments: [P] },
  ReleaseTensorTypeAndShapeInfo: { index: 99, result: 'void', arguments: [P] },
  ReleaseSessionOptions: { index: 100, result: 'void', arguments: [P] },
  /** out names, out count */
  GetAvailableProviders: { index: 125, result: P, arguments: [P, P] },
  ReleaseAvailableProviders: { index: 126, result: P, arguments: [P, 'int'] },
  /** options, key, value */
  AddSessionConfigEntry: { index: 130, result: P, arguments: [P, 'str', 'str'] },
  SessionOptionsSetLoadCancellationFlag: { index: 293, result: P, arguments: [P, 'bool'] },
} as const satisfies Readonly<Record<string, OrtFunctionDeclaration>>

type Values<A extends readonly (keyof ArgumentValues)[]> = { -readonly [K in keyof A]: ArgumentValues[A[K]] }

/** A bound function: a plain call, or `async` on a thread of its own with a callback as the last argument. */
interface OrtFunction<D extends OrtFunctionDeclaration> {
  (...args: Values<D['arguments']>): ResultValues[D['result']]
  readonly async: (...args: [...Values<D['arguments']>, (error: unknown, result: ResultValues[D['result']]) => void]) => void
}

/** The table, bound. */
export type OrtApi = { readonly [K in keyof typeof ortFunctions]: OrtFunction<(typeof ortFunctions)[K]> }

// The ONNX Runtime shared library opened through koffi: function table, status check, out-parameters, C strings, one environment per process.
import koffi from 'koffi'

import { engineError } from '../../errors'
import { type OrtApi, ORT_API_VERSION, ortFunctions } from './c-api-functions'

/** The opened library, which lives as long as the process. */
export interface OrtLibrary {
  readonly api: OrtApi
  readonly version: string
  readonly executionProviders: readonly string[]
  readonly env: bigint
  readonly cpuMemoryInfo: bigint
  readonly allocator: bigint
  /** Copies native memory into `target`. */
  readonly copyFrom: (source: bigint, target: Uint8Array) => void
}

/** koffi runs a call on a stack of its own, 128 KiB by default: graph optimisation and protobuf recurse deeper than that. */
const CALL_STACK_BYTES = 8 << 20

/** Calls that run at once: as many as libuv has threads by default. */
const RESIDENT_CALLS = 4

const LOG_FATAL = 4
const ALLOCATOR_TYPE_DEVICE = 0
const MEMORY_TYPE_DEFAULT = 0
const POINTER_BYTES = 8

/** Errors by OrtErrorCode. Source: onnxruntime_c_api.h. */
const ERROR_CODES: readonly string[] = [
  'OK',
  'FAIL',
  'INVALID_ARGUMENT',
  'NO_SUCHFILE',
  'NO_MODEL',
  'ENGINE_ERROR',
  'RUNTIME_EXCEPTION',
  'INVALID_PROTOBUF',
  'MODEL_LOADED',
  'NOT_IMPLEMENTED',
  'INVALID_GRAPH',
  'EP_FAIL',
  'MODEL_LOAD_CANCELED',
  'MODEL_REQUIRES_COMPILATION',
  'NOT_FOUND',
  'DEVICE_RESET',
]

/** koffi unloads a library whose handle is collected, while the functions bound from it stay callable; these are kept until the process ends. */
const loadedLibraries: ReturnType<typeof koffi.load>[] = []

/** Opens the library at a path and makes the process's environment, telemetry off. Throws "runtime/ort-unavailable", "runtime/ort-failed". */
export function openLibrary(path: string): OrtLibrary {
  koffi.config({
    ...koffi.config(),
    async_stack_size: CALL_STACK_BYTES,
    sync_stack_size: CALL_STACK_BYTES,
    resident_async_pools: RESIDENT_CALLS,
  })
  const base = asPointer(loadForever(path).func('OrtGetApiBase', 'void *', [])())
  const version: unknown = koffi.call(readPointer(base, 1), koffi.proto('str', []))
  const table: unknown = koffi.call(readPointer(base, 0), koffi.proto('void *', ['uint32_t']), ORT_API_VERSION)
  if (typeof version !== 'string' || typeof table !== 'bigint') {
    throw engineError('runtime/ort-unavailable', { reason: `${path} does not serve API version ${ORT_API_VERSION}` })
  }
  const api = bindFunctions(table)
  const env = outPointer(api, 'Creating the environment', (out) => api.CreateEnv(LOG_FATAL, 'weightroom', out))
  check(api, 'Turning telemetry off', api.DisableTelemetryEvents(env))
  return {
    api,
    version,
    env,
    executionProviders: listExecutionProviders(api),
    cpuMemoryInfo: outPointer(api, 'Describing memory', (out) => api.CreateCpuMemoryInfo(ALLOCATOR_TYPE_DEVICE, MEMORY_TYPE_DEFAULT, out)),
    allocator: outPointer(api, 'Finding the allocator', (out) => api.GetAllocatorWithDefaultOptions(out)),
    copyFrom: bindCopy(),
  }
}

/** Address of JavaScript memory; it stays put, but the caller must keep the buffer reachable while native code uses it. */
export function addressOf(memory: ArrayBuffer | ArrayBufferView): bigint {
  return koffi.address(memory)
}

/** Throws the failure that a status stands for and frees the status; null is success. */
export function check(api: OrtApi, what: string, status: bigint | null): void {
  if (status === null) return
  const code = ERROR_CODES[api.GetErrorCode(status)] ?? 'UNKNOWN'
  const reason = api.GetErrorMessage(status)
  api.ReleaseStatus(status)
  throw engineError('runtime/ort-failed', { what, code, reason })
}

/** Calls a function whose result comes through its last argument, a pointer or a size. Throws "runtime/ort-failed". */
export function outPointer(api: OrtApi, what: string, call: (out: BigUint64Array) => bigint | null): bigint {
  const out = new BigUint64Array(1)
  check(api, what, call(out))
  return out[0] ?? 0n
}

/**
 * Calls a function on a thread of its own; `call` passes on the callback it is given as the last argument.
 * koffi keeps no reference to the memory whose address is passed: see `keepAlive`.
 */
export function callAsync(call: (done: (error: unknown, status: bigint | null) => void) => void): Promise<bigint | null> {
  return new Promise((resolve, reject) => {
    call((error, status) => {
      if (error instanceof Error) reject(error)
      else resolve(status)
    })
  })
}

/** Mentioned after an asynchronous call, memory stays reachable until then; the collector may take what an async function no longer mentions. */
export function keepAlive(_memory: object): void {
  // Nothing to do: being reachable until here is the point.
}

/** A NUL-terminated UTF-8 string in JavaScript memory. */
export function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`)
}

/** Reads a NUL-terminated UTF-8 string. */
export function readString(address: bigint): string {
  return koffi.decode.string(address)
}

function loadForever(path: string | null): ReturnType<typeof koffi.load> {
  const library = koffi.load(path)
  loadedLibraries.push(library)
  return library
}

function bindFunctions(table: bigint): OrtApi {
  const api: unknown = Object.fromEntries(
    Object.entries(ortFunctions).map(([name, { index, result, arguments: types }]) => [
      name,
      koffi.decode(readPointer(table, index), koffi.proto(result, [...types])),
    ]),
  )
  // Every declared name was just bound with its declared types; the mapped type says no more than that.
  return api as OrtApi
}

function bindCopy(): OrtLibrary['copyFrom'] {
  const memmove = loadForever(process.platform === 'win32' ? 'msvcrt.dll' : null).func('memmove', 'void *', ['void *', 'void *', 'size_t'])
  return (source, target) => {
    if (target.byteLength > 0) memmove(target, source, target.byteLength)
  }
}

function listExecutionProviders(api: OrtApi): readonly string[] {
  const count = new Int32Array(1)
  const names = outPointer(api, 'Listing execution providers', (out) => api.GetAvailableProviders(out, count))
  const providers = Array.from({ length: count[0] ?? 0 }, (_, index) => readString(readPointer(names, index)))
  check(api, 'Listing execution providers', api.ReleaseAvailableProviders(names, providers.length))
  return providers
}

function readPointer(table: bigint, index: number): bigint {
  return asPointer(koffi.decode(table, index * POINTER_BYTES, 'void *'))
}

function asPointer(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  throw engineError('runtime/ort-unavailable', { reason: 'a function of the library is missing' })
}

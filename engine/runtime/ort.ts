// Opens ONNX Runtime: the C API of the library that onnxruntime-node ships, or that package's own binding where the C API cannot be reached.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'

import { EngineError, engineError } from '../errors'
import type { OrtRuntime } from './ort-types'
import { ortLibraryPath } from './ort/library-path'
import { createBindingRuntime } from './ort/node-binding'
import { engineProcessEnv } from './process-env'

/** A runtime, and why it is not the C API where that was tried first and failed. */
export interface OpenedOrt extends OrtRuntime {
  readonly fallbackReason: string | null
}

/** The library's names of what the Node binding calls backends. */
const EXECUTION_PROVIDERS: Readonly<Record<string, string>> = {
  cpu: 'CPUExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'TensorrtExecutionProvider',
  dml: 'DmlExecutionProvider',
  coreml: 'CoreMLExecutionProvider',
}

/**
 * Opens ONNX Runtime. Without a kind the C API is tried first, then the Node binding.
 * Throws "runtime/ort-unavailable" when neither can be opened, or the one asked for cannot.
 */
export async function openOrt(options: { readonly kind?: OrtRuntime['kind'] }): Promise<OpenedOrt> {
  // The library reads this while it loads; whoever started this process may have forgotten it.
  process.env['ORT_DISABLE_TELEMETRY'] = engineProcessEnv.ORT_DISABLE_TELEMETRY
  if (options.kind !== undefined) return { ...(await openOnce(options.kind)), fallbackReason: null }
  try {
    return { ...(await openOnce('c-api')), fallbackReason: null }
  } catch (error) {
    return { ...(await openOnce('node-binding')), fallbackReason: reasonOf(error) }
  }
}

const opened = new Map<OrtRuntime['kind'], OrtRuntime>()

/** One runtime of a kind per process, so that values and sessions of different callers fit together. */
async function openOnce(kind: OrtRuntime['kind']): Promise<OrtRuntime> {
  try {
    const runtime = opened.get(kind) ?? (kind === 'c-api' ? await openThroughCApi() : await openThroughBinding())
    // Two callers may have waited for the same import; the first one's runtime is everybody's.
    const first = opened.get(kind) ?? runtime
    opened.set(kind, first)
    return first
  } catch (cause) {
    throw engineError('runtime/ort-unavailable', { reason: reasonOf(cause) }, cause)
  }
}

async function openThroughCApi(): Promise<OrtRuntime> {
  // Imported late: where koffi has no build for the machine, importing it throws.
  const { createCApiRuntime } = await import('./ort/c-api')
  return createCApiRuntime(libraryPath())
}

async function openThroughBinding(): Promise<OrtRuntime> {
  const { env, InferenceSession, listSupportedBackends, Tensor } = await import('onnxruntime-node')
  return createBindingRuntime<InstanceType<typeof Tensor>>({
    version: env.versions.node ?? 'unknown',
    executionProviders: listSupportedBackends().map(({ name }) => EXECUTION_PROVIDERS[name] ?? name),
    createSession: (model, options) => InferenceSession.create(model, options),
    createTensor: ({ type, data, dims }) => {
      // The constructor's types pair every type name with its array type, which our dtype table has done already.
      const tensor: unknown = Reflect.construct(Tensor, [type, data, dims])
      if (tensor instanceof Tensor) return tensor
      throw engineError('runtime/unsupported-dtype', { dtype: type })
    },
  })
}

/** The shipped library. Throws "runtime/ort-unavailable". */
function libraryPath(): string {
  const packageFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  const path = ortLibraryPath({ packageFolder, platform: process.platform, arch: process.arch })
  if (!existsSync(path)) throw engineError('runtime/ort-unavailable', { reason: `there is no ${path}` })
  return path
}

function reasonOf(error: unknown): string {
  if (error instanceof EngineError && typeof error.details['reason'] === 'string') return error.details['reason']
  return error instanceof Error ? error.message : String(error)
}

// ONNX Runtime through onnxruntime-node's own binding: the same interface where the C API cannot be reached.
// It blocks its thread for a whole run, cannot be cancelled before the run's end, knows no BF16, and copies every output once more than needed.
import { engineError } from '../../errors'
import type { OrtDtype, OrtRuntime, OrtSession, OrtSessionOptions, OrtValue } from '../ort-types'
import { isAborted } from './abort'
import { sessionConfigEntries } from './config-entries'
import { dtypeOfBinding, ORT_ELEMENT_TYPES, tensorSizeBytes } from './dtypes'
import { allocateBytes } from './memory'
import { type NativeRun, Session } from './session'
import { Value, viewedBytes, type ValueParts } from './value'

/** A tensor of the binding. */
export interface BindingTensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: unknown
}

/** A session of the binding. */
interface BindingSession<Tensor> {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly run: (feeds: Record<string, Tensor>, fetches: Record<string, Tensor | null>) => Promise<Readonly<Record<string, Tensor>>>
  readonly release: () => Promise<void>
}

/** Session options as the binding takes them. */
interface BindingSessionOptions {
  readonly executionMode: 'sequential'
  readonly graphOptimizationLevel: 'all'
  readonly interOpNumThreads: number
  readonly intraOpNumThreads: number
  /** 4 is fatal: failures come back as errors, and need not be printed too. */
  readonly logSeverityLevel: 4
  readonly extra: Record<string, string>
}

/** What the runtime needs of the binding. */
export interface Binding<Tensor extends BindingTensor> {
  readonly version: string
  readonly executionProviders: readonly string[]
  readonly createSession: (model: Uint8Array, options: BindingSessionOptions) => Promise<BindingSession<Tensor>>
  /** A tensor over memory it neither copies nor owns; F16 comes as Uint16Array. */
  readonly createTensor: (options: { readonly type: string; readonly data: ArrayBufferView; readonly dims: readonly number[] }) => Tensor
}

interface Values<Tensor> {
  readonly allocate: (options: { readonly dtype: OrtDtype; readonly shape: readonly number[] }) => Value<Tensor>
  readonly view: OrtRuntime['view']
  readonly adopt: (tensor: Tensor) => Value<Tensor>
  readonly lookup: (value: OrtValue) => Value<Tensor> | undefined
}

/** The runtime over a loaded binding. */
export function createBindingRuntime<Tensor extends BindingTensor>(binding: Binding<Tensor>): OrtRuntime {
  const values = createValues(binding)
  return {
    kind: 'node-binding',
    version: binding.version,
    executionProviders: binding.executionProviders,
    cancellable: false,
    allocate: values.allocate,
    view: values.view,
    createSession: (options) => createSession({ binding, values, options }),
  }
}

function createValues<Tensor extends BindingTensor>(binding: Binding<Tensor>): Values<Tensor> {
  const known = new WeakMap<OrtValue, Value<Tensor>>()
  const wrap = (parts: Omit<ValueParts<Tensor>, 'freeHandle'>): Value<Tensor> => {
    const value = new Value({ ...parts, freeHandle: () => undefined })
    known.set(value, value)
    return value
  }
  const tensorOver = ({ dtype, shape, bytes }: Pick<OrtValue, 'dtype' | 'shape' | 'bytes'>): Tensor => {
    const type = ORT_ELEMENT_TYPES[dtype].binding
    if (type === null) throw engineError('runtime/unsupported-dtype', { dtype })
    return binding.createTensor({ type, data: elementsOf({ dtype, bytes }), dims: shape })
  }
  return {
    allocate: ({ dtype, shape }) => {
      const bytes = allocateBytes(tensorSizeBytes({ dtype, shape }))
      return wrap({ dtype, shape: [...shape], bytes, handle: tensorOver({ dtype, shape, bytes }) })
    },
    view: (of, { dtype, shape }) => {
      const memoryOf = known.get(of)
      if (memoryOf === undefined) throw engineError('runtime/foreign-value', { name: 'view' })
      const bytes = viewedBytes(memoryOf, { dtype, shape })
      return wrap({ dtype, shape: [...shape], bytes, handle: tensorOver({ dtype, shape, bytes }), memoryOf })
    },
    adopt: (tensor) => {
      const { data } = tensor
      if (!ArrayBuffer.isView(data)) throw engineError('runtime/unsupported-dtype', { dtype: tensor.type })
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      return wrap({ dtype: dtypeOfBinding(tensor.type), shape: [...tensor.dims], bytes, handle: tensor })
    },
    lookup: (value) => known.get(value),
  }
}

function elementsOf(options: { readonly dtype: OrtDtype; readonly bytes: Uint8Array }): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = options.bytes
  const length = byteLength / ORT_ELEMENT_TYPES[options.dtype].sizeBytes
  switch (options.dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, length)
    case 'F16':
    case 'BF16':
      return new Uint16Array(buffer, byteOffset, length)
    case 'I64':
      return new BigInt64Array(buffer, byteOffset, length)
    case 'I32':
      return new Int32Array(buffer, byteOffset, length)
    case 'I8':
      return new Int8Array(buffer, byteOffset, length)
    case 'U8':
    case 'BOOL':
      return options.bytes
  }
}

async function createSession<Tensor extends BindingTensor>(options: {
  readonly binding: Binding<Tensor>
  readonly values: Values<Tensor>
  readonly options: OrtSessionOptions
}): Promise<OrtSession> {
  const { binding, values } = options
  const { model, signal, intraOpNumThreads } = options.options
  const what = 'Loading the graph'
  if (isAborted(signal)) throw engineError('runtime/aborted', { what })
  const session = await reported(what, () =>
    binding.createSession(model, {
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      interOpNumThreads: 1,
      intraOpNumThreads,
      logSeverityLevel: 4,
      extra: sessionConfigEntries(options.options),
    }),
  )
  const free = (): void => void session.release()
  if (isAborted(signal)) {
    free()
    throw engineError('runtime/aborted', { what })
  }
  const { inputNames, outputNames } = session
  return new Session<Tensor>({
    inputNames: [...inputNames],
    outputNames: [...outputNames],
    lookup: values.lookup,
    execute: (run) => execute({ session, values, run }),
    free,
  })
}

async function execute<Tensor extends BindingTensor>(options: {
  readonly session: BindingSession<Tensor>
  readonly values: Values<Tensor>
  readonly run: NativeRun<Tensor>
}): Promise<ReadonlyMap<string, Value<Tensor>>> {
  const { session, values, run } = options
  const feeds = Object.fromEntries(run.inputs.map(({ name, handle }) => [name, handle]))
  const fetches = Object.fromEntries(run.outputs.map(({ name, handle }) => [name, handle]))
  // A given tensor is written in place by the library; the binding then returns a copy of it as well, which is left to the collector.
  const results = await reported('A run', () => session.run(feeds, fetches))
  const allocated = new Map<string, Value<Tensor>>()
  for (const { name, handle } of run.outputs) {
    const tensor = results[name]
    if (handle === null && tensor !== undefined) allocated.set(name, values.adopt(tensor))
  }
  return allocated
}

/** The binding's errors carry a message and nothing else. */
async function reported<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw engineError('runtime/ort-failed', { what, code: 'UNKNOWN', reason }, cause)
  }
}

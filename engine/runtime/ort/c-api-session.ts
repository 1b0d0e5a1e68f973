// A session over the C API: runs on a thread of its own, outputs written in place, cancelled through the run options.
import type { OrtSession } from '../ort-types'
import { isAborted } from './abort'
import type { OrtApi } from './c-api-functions'
import { addressOf, callAsync, check, cString, keepAlive, type OrtLibrary, outPointer, readString } from './c-api-library'
import type { CApiValues } from './c-api-values'
import { type NativeRun, Session } from './session'
import type { Value } from './value'

const POINTER_BYTES = 8n
const EMPTY_NAME = cString('')

/** Wraps a native session, which it then owns. Throws "runtime/ort-failed". */
export function createCApiSession(options: {
  readonly library: OrtLibrary
  readonly values: CApiValues
  readonly handle: bigint
}): OrtSession {
  const { library, values, handle } = options
  const { api } = library
  const inputNames = readNames(library, { handle, of: 'input' })
  const outputNames = readNames(library, { handle, of: 'output' })
  const runOptions = outPointer(api, 'Making run options', (out) => api.CreateRunOptions(out))
  const names = new Map([...inputNames, ...outputNames].map((name) => [name, cString(name)]))
  return new Session<bigint>({
    inputNames,
    outputNames,
    lookup: values.lookup,
    execute: (run) => execute({ library, values, handle, runOptions, names, run }),
    free: () => {
      api.ReleaseRunOptions(runOptions)
      // Unmapping gigabytes takes long enough to be felt on the event loop.
      api.ReleaseSession.async(handle, () => undefined)
    },
  })
}

async function execute(options: {
  readonly library: OrtLibrary
  readonly values: CApiValues
  readonly handle: bigint
  readonly runOptions: bigint
  readonly names: ReadonlyMap<string, Uint8Array>
  readonly run: NativeRun<bigint>
}): Promise<ReadonlyMap<string, Value<bigint>>> {
  const { library, values, handle, runOptions, names } = options
  const { inputs, outputs, signal } = options.run
  const { api } = library
  const pointers = pointerTable({ names, run: options.run })
  const outputValues = pointers.subarray(pointers.length - outputs.length)
  const inputNames = addressOf(pointers)
  const inputValues = inputNames + POINTER_BYTES * BigInt(inputs.length)
  const outputNames = inputValues + POINTER_BYTES * BigInt(inputs.length)
  const cancel = (): void => check(api, 'Cancelling', api.RunOptionsSetTerminate(runOptions))
  signal?.addEventListener('abort', cancel)
  try {
    const status = await callAsync((done) => {
      const [inputCount, outputCount] = [inputs.length, outputs.length]
      api.Run.async(handle, runOptions, inputNames, inputValues, inputCount, outputNames, outputCount, addressOf(outputValues), done)
    })
    if (isAborted(signal) && status !== null) {
      api.ReleaseStatus(status)
      return new Map()
    }
    check(api, 'A run', status)
  } finally {
    signal?.removeEventListener('abort', cancel)
    keepAlive(names)
    check(api, 'Resetting run options', api.RunOptionsUnsetTerminate(runOptions))
  }
  const unbound = outputs.flatMap((output, index) =>
    output.handle === null ? [{ name: output.name, handle: outputValues[index] ?? 0n }] : [],
  )
  return adoptAll({ api, values, outputs: unbound })
}

/** Takes over what a run allocated: all of it or, after a failure, nothing. */
function adoptAll(options: {
  readonly api: OrtApi
  readonly values: CApiValues
  readonly outputs: readonly { readonly name: string; readonly handle: bigint }[]
}): ReadonlyMap<string, Value<bigint>> {
  const { api, values, outputs } = options
  const adopted = new Map<string, Value<bigint>>()
  const pending = new Map(outputs.map(({ name, handle }) => [name, handle]))
  try {
    for (const { name, handle } of outputs) {
      pending.delete(name)
      adopted.set(name, values.adopt(handle))
    }
    return adopted
  } catch (error) {
    for (const handle of pending.values()) api.ReleaseValue(handle)
    for (const value of adopted.values()) value[Symbol.dispose]()
    throw error
  }
}

/** The four pointer arrays of a run in one: input names, inputs, output names, outputs. The caller holds it until the call has ended. */
function pointerTable(options: { readonly names: ReadonlyMap<string, Uint8Array>; readonly run: NativeRun<bigint> }): BigUint64Array {
  const { inputs, outputs } = options.run
  const nameOf = ({ name }: { readonly name: string }): bigint => addressOf(options.names.get(name) ?? EMPTY_NAME)
  return BigUint64Array.from([
    ...inputs.map(nameOf),
    ...inputs.map((input) => input.handle),
    ...outputs.map(nameOf),
    ...outputs.map((output) => output.handle ?? 0n),
  ])
}

function readNames(
  { api, allocator }: OrtLibrary,
  options: { readonly handle: bigint; readonly of: 'input' | 'output' },
): readonly string[] {
  const { handle, of } = options
  const what = `Listing the graph's ${of}s`
  const [count, nameAt] =
    of === 'input' ? [api.SessionGetInputCount, api.SessionGetInputName] : [api.SessionGetOutputCount, api.SessionGetOutputName]
  const length = Number(outPointer(api, what, (out) => count(handle, out)))
  return Array.from({ length }, (_, index) => {
    const address = outPointer(api, what, (out) => nameAt(handle, index, allocator, out))
    const name = readString(address)
    check(api, what, api.AllocatorFree(allocator, address))
    return name
  })
}

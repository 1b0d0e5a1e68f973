// What PyTorch's rebuild functions describe: views of storages. Follows torch/_utils.py and torch/_tensor.py of PyTorch 2.13.
import { engineError } from '../../errors'
import { MAX_TENSOR_DIMENSIONS } from '../../tensor/shape'
import type { PickleMachine } from './machine'
import { refusedCall } from './refused-call'
import { describeValue, isPickleObject, type OddReason, type PickleObject, type PickleValue } from './values'

/** Makes a value of a call's arguments. */
export type Rebuild = (args: readonly PickleValue[], machine: PickleMachine) => PickleValue

function malformed(machine: PickleMachine, reason: string): Error {
  return engineError('checkpoint/malformed-tensor', { path: machine.path, reason })
}

function whole(machine: PickleMachine, value: PickleValue | undefined, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw malformed(
    machine,
    `its ${what} is ${typeof value === 'number' || typeof value === 'bigint' ? String(value) : describeValue(value)}`,
  )
}

function wholes(machine: PickleMachine, value: PickleValue | undefined, what: string): readonly number[] {
  if (!isPickleObject(value) || (value.kind !== 'tuple' && value.kind !== 'list'))
    throw malformed(machine, `its ${what} is ${describeValue(value)}`)
  if (value.items.length > MAX_TENSOR_DIMENSIONS) {
    throw malformed(machine, `it has ${value.items.length} dimensions; at most ${MAX_TENSOR_DIMENSIONS} are allowed`)
  }
  return value.items.map((item) => whole(machine, item, what))
}

function dtypeOf(machine: PickleMachine, value: PickleValue | undefined): string {
  if (isPickleObject(value) && value.kind === 'global' && value.module === 'torch') return value.name
  throw malformed(machine, `its dtype is ${describeValue(value)}`)
}

/** Conjugate and negative views keep the untouched storage and only say that its values are meant otherwise. */
function lazyOperation(metadata: PickleValue | undefined): string | null {
  if (!isPickleObject(metadata) || metadata.kind !== 'dict') return null
  for (const bit of ['conj', 'neg']) if (metadata.entries.get(bit) === true) return bit
  return null
}

/** A view of `storage`; in `dtype` where given (rebuild v3), else in that of the storage. */
function view(
  machine: PickleMachine,
  options: { readonly args: readonly PickleValue[]; readonly dtype: string | null; readonly metadata: PickleValue | undefined },
): PickleObject {
  const [storage, offset, size, stride] = options.args
  if (!isPickleObject(storage) || storage.kind !== 'storage') throw malformed(machine, `its storage is ${describeValue(storage)}`)
  const shape = wholes(machine, size, 'shape')
  const strides = wholes(machine, stride, 'stride')
  if (shape.length !== strides.length) throw malformed(machine, `it has ${shape.length} dimensions and ${strides.length} strides`)
  const operation = lazyOperation(options.metadata)
  if (operation !== null) return { kind: 'odd-tensor', reason: 'lazy-view' }
  const dtype = options.dtype ?? storage.dtype
  if (dtype === null) throw malformed(machine, 'neither it nor its storage has a dtype')
  return { kind: 'tensor', storage, dtype, offsetElements: whole(machine, offset, 'offset'), shape, strides }
}

function odd(reason: OddReason): Rebuild {
  return () => ({ kind: 'odd-tensor', reason })
}

function first(args: readonly PickleValue[]): PickleValue {
  return args[0] ?? null
}

/** A parameter is the tensor it wraps. */
const parameter: Rebuild = (args) => first(args)

/** `_rebuild_from_type_v2(function, type, args, state)`: the function is one of these here. */
const fromType: Rebuild = (args, machine) => {
  const [callable, , inner] = args
  const name = isPickleObject(callable) && callable.kind === 'global' ? `${callable.module}.${callable.name}` : ''
  const rebuild = REBUILD_FUNCTIONS[name]
  if (!rebuild || rebuild === fromType || !isPickleObject(inner) || inner.kind !== 'tuple') {
    throw refusedCall(machine.path, callable)
  }
  return rebuild(inner.items, machine)
}

/** The rebuild functions by name: those that torch's own restricted unpickler knows, and the parameters of lazy modules. */
export const REBUILD_FUNCTIONS: Readonly<Record<string, Rebuild>> = Object.assign(Object.create(null) as object, {
  'torch._utils._rebuild_tensor': (args, machine) => view(machine, { args, dtype: null, metadata: undefined }),
  'torch._utils._rebuild_tensor_v2': (args, machine) => view(machine, { args, dtype: null, metadata: args[6] }),
  'torch._utils._rebuild_tensor_v3': (args, machine) => view(machine, { args, dtype: dtypeOf(machine, args[6]), metadata: args[7] }),
  'torch._utils._rebuild_parameter': parameter,
  'torch._utils._rebuild_parameter_with_state': parameter,
  'torch.nn.parameter.Parameter': parameter,
  'torch.nn.parameter.UninitializedParameter': odd('uninitialized'),
  'torch.nn.parameter.UninitializedBuffer': odd('uninitialized'),
  'torch._tensor._rebuild_from_type_v2': fromType,
  'torch._utils._rebuild_qtensor': odd('quantized'),
  'torch._utils._rebuild_sparse_tensor': odd('sparse'),
  'torch._utils._rebuild_sparse_csr_tensor': odd('sparse'),
  'torch._utils._rebuild_nested_tensor': odd('nested'),
  'torch._utils._rebuild_meta_tensor_no_storage': odd('without-data'),
  'torch._utils._rebuild_wrapper_subclass': odd('wrapper'),
  'torch._utils._rebuild_xla_tensor': odd('of-other-device'),
  'torch._utils._rebuild_device_tensor_from_numpy': odd('of-other-device'),
  'torch._utils._rebuild_device_tensor_from_cpu_tensor': parameter,
} satisfies Record<string, Rebuild>)

// The exact list of what REDUCE may name, each as a description of its result. Follows torch/_weights_only_unpickler.py of PyTorch 2.13, plus names that only make data.
import type { PickleMachine } from './machine'
import { REBUILD_FUNCTIONS, type Rebuild } from './tensors'
import { globalName, isPickleObject, type PickleGlobal, type PickleValue } from './values'

function items(value: PickleValue | undefined): readonly PickleValue[] | null {
  if (!isPickleObject(value)) return null
  return value.kind === 'tuple' || value.kind === 'list' || value.kind === 'set' ? value.items : null
}

/** `OrderedDict()`, `OrderedDict([[key, value], ...])` as Python 2 writes it, `Counter({...})`, `defaultdict(factory)`. */
const dict: Rebuild = (args, machine) => {
  machine.countContainer()
  const entries = new Map<PickleValue, PickleValue>()
  const source = args.at(-1)
  if (isPickleObject(source) && source.kind === 'dict') for (const [key, value] of source.entries) entries.set(key, value)
  else if (source !== undefined && !(isPickleObject(source) && source.kind === 'global') && source !== null) {
    const pairs = items(source)
    if (!pairs) throw machine.malformed('a dict is made of something else than pairs')
    for (const pair of pairs) {
      const [key, value] = items(pair) ?? []
      if (key === undefined || value === undefined) throw machine.malformed('a dict is made of something else than pairs')
      entries.set(key, value)
    }
  }
  machine.countItems(entries.size)
  return { kind: 'dict', entries }
}

function sequenceOf(kind: 'tuple' | 'list' | 'set'): Rebuild {
  return (args, machine) => {
    machine.countContainer()
    const copied = [...(items(args[0]) ?? [])]
    machine.countItems(copied.length)
    return { kind, items: copied }
  }
}

/** `_codecs.encode(text, 'latin1')` is how protocol 2 writes bytes; `bytearray(...)` takes the result. */
const bytes: Rebuild = ([source = null, encoding]) => {
  if (typeof source !== 'string') return source
  return Uint8Array.from(Buffer.from(source, encoding === 'latin1' ? 'latin1' : 'utf8'))
}

const FUNCTIONS: Readonly<Record<string, Rebuild>> = Object.assign(Object.create(null) as object, {
  'collections.OrderedDict': dict,
  'collections.Counter': dict,
  'collections.defaultdict': dict,
  'builtins.dict': dict,
  'builtins.set': sequenceOf('set'),
  'builtins.frozenset': sequenceOf('set'),
  'builtins.list': sequenceOf('list'),
  'builtins.tuple': sequenceOf('tuple'),
  'torch.Size': sequenceOf('tuple'),
  '_codecs.encode': bytes,
  'builtins.bytearray': bytes,
  'builtins.bytes': bytes,
  // Lists of a TorchScript archive, with the type of their elements beside them.
  'torch.jit._pickle.build_intlist': sequenceOf('list'),
  'torch.jit._pickle.build_doublelist': sequenceOf('list'),
  'torch.jit._pickle.build_boollist': sequenceOf('list'),
  'torch.jit._pickle.build_tensorlist': sequenceOf('list'),
  'torch.jit._pickle.restore_type_tag': ([value = null]) => value,
} satisfies Record<string, Rebuild>)

/** Names that only make data which no reader here looks into: their result is a record. */
const RECORDS: ReadonlySet<string> = new Set([
  'builtins.complex',
  'builtins.slice',
  'builtins.range',
  'builtins.xrange',
  'collections.deque',
  'decimal.Decimal',
  'fractions.Fraction',
  're._compile',
  'types.SimpleNamespace',
  // What it would call stays a name; one that no checkpoint needs is refused as everywhere.
  'functools.partial',
  'copyreg._reconstructor',
  'torch.device',
  'torch._C.Generator',
  'torch.serialization._get_layout',
  'numpy.dtype',
  'numpy.ndarray',
  'numpy.core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy.core.numeric._frombuffer',
  'numpy._core.numeric._frombuffer',
  'numpy._core.multiarray.scalar',
  'numpy._core.multiarray._reconstruct',
  'numpy.random._pickle.__randomstate_ctor',
  'numpy.random._pickle.__generator_ctor',
  'numpy.random._pickle.__bit_generator_ctor',
  'argparse.Namespace',
  'datetime.date',
  'datetime.time',
  'datetime.datetime',
  'datetime.timedelta',
  'datetime.timezone',
  'pathlib.PosixPath',
  'pathlib.WindowsPath',
  'pathlib.PurePosixPath',
  'pathlib.PureWindowsPath',
  'pathlib._local.PosixPath',
  'pathlib._local.WindowsPath',
])

/** Whether a name is on the list: compared whole, since prefixes such as `torch.` have let attacks pass. */
export function isCallable({ module, name }: PickleGlobal): boolean {
  const full = `${module}.${name}`
  return full in FUNCTIONS || full in REBUILD_FUNCTIONS || RECORDS.has(full)
}

/** What a name of the list makes of its arguments. Throws "checkpoint/pickle-malformed", "checkpoint/malformed-tensor". */
export function callGlobal(callable: PickleGlobal, args: readonly PickleValue[], machine: PickleMachine): PickleValue {
  const full = `${callable.module}.${callable.name}`
  const build = FUNCTIONS[full] ?? REBUILD_FUNCTIONS[full]
  // An object that is reserved first and filled by its state afterwards has no arguments.
  if (build && (args.length > 0 || full in FUNCTIONS)) return build(args, machine)
  machine.countContainer()
  // `_reconstructor(class, base, state)` reserves an object of protocols 0 and 1.
  const [made] = args
  const isReconstructed = globalName(callable) === 'copyreg._reconstructor' && isPickleObject(made) && made.kind === 'global'
  return { kind: 'record', class: isReconstructed ? made : callable, args, state: undefined, entries: new Map(), items: [] }
}

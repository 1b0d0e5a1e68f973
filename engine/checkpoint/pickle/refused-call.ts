// The error of a call that is not on the list, by what it would do. Modules and functions as CPython 3.13 and PyTorch 2.13 have them.
import { engineError, type EngineError, type ErrorCode } from '../../errors'
import { describeValue, isPickleObject, type PickleGlobal, type PickleValue } from './values'

type Danger = Extract<ErrorCode, `checkpoint/pickle-runs-${string}` | 'checkpoint/pickle-reaches-inside' | 'checkpoint/pickle-opens-files'>

/** Names of modules, or of single functions, by what a call of them does. */
const DANGERS: readonly (readonly [Danger, readonly string[]])[] = [
  [
    'checkpoint/pickle-runs-command',
    'os posix nt subprocess _posixsubprocess pty popen2 commands platform multiprocessing concurrent asyncio signal _winapi'.split(' '),
  ],
  [
    'checkpoint/pickle-runs-code',
    [
      ...['eval', 'exec', 'execfile', 'compile', '__import__', 'input', 'breakpoint', 'apply', 'map', 'filter'].map(
        (name) => `builtins.${name}`,
      ),
      ...'runpy code codeop importlib imp timeit pdb bdb cProfile profile doctest pkgutil zipimport ctypes _ctypes cffi pickle _pickle cPickle'.split(
        ' ',
      ),
      ...'marshal dill cloudpickle joblib shelve pip setuptools distutils unittest idlelib pydoc ensurepip venv site'.split(' '),
      ...['torch.utils.cpp_extension', 'numpy.f2py', 'numpy.distutils'],
    ],
  ],
  [
    'checkpoint/pickle-reaches-inside',
    [
      ...['getattr', 'setattr', 'delattr', 'hasattr', 'vars', 'globals', 'locals', 'dir', 'type', 'super'].map(
        (name) => `builtins.${name}`,
      ),
      ...['operator', '_operator', 'inspect', 'gc', 'sys'],
    ],
  ],
  [
    'checkpoint/pickle-opens-files',
    ['builtins.open', 'builtins.file', 'io.open', '_io.open', ...'shutil tempfile linecache fileinput mmap fcntl sqlite3'.split(' ')],
  ],
  [
    'checkpoint/pickle-runs-network',
    'socket _socket ssl http httplib urllib urllib2 urllib3 requests aiohttp ftplib smtplib telnetlib xmlrpc webbrowser antigravity'.split(
      ' ',
    ),
  ],
]

const BY_NAME: ReadonlyMap<string, Danger> = new Map(
  DANGERS.flatMap(([code, names]) => names.map((name): [string, Danger] => [name, code])),
)

/** What the call of a name does, where that is known: by the function, then by its module and the packages around it. */
function dangerOf({ module, name }: PickleGlobal): Danger | null {
  const segments = module.split('.')
  const modules = segments.map((_, index) => segments.slice(0, segments.length - index).join('.'))
  return [`${module}.${name}`, ...modules].map((each) => BY_NAME.get(each)).find((danger) => danger !== undefined) ?? null
}

/** The error of a refused call: one code for each kind of harm, "checkpoint/pickle-call-refused" for everything else. */
export function refusedCall(path: string, callable: PickleValue = null): EngineError {
  const danger = isPickleObject(callable) && callable.kind === 'global' ? dangerOf(callable) : null
  return engineError(danger ?? 'checkpoint/pickle-call-refused', { path, callable: describeValue(callable) })
}

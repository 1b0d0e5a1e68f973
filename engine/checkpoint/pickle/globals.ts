// Names in pickles: Python 2's spelling made Python 3's, and the modules whose names no checkpoint needs even as data.
import type { PickleGlobal } from './values'

/** CPython's `_compat_pickle`, as far as checkpoints go. */
const MODERN_MODULES: Readonly<Record<string, string>> = {
  __builtin__: 'builtins',
  exceptions: 'builtins',
  copy_reg: 'copyreg',
  UserDict: 'collections',
  UserList: 'collections',
  commands: 'subprocess',
}

/** Modules that run, load, open, connect or reach into the interpreter; a checkpoint that names them is an attack. */
const NEVER_NEEDED: ReadonlySet<string> = new Set(
  [
    'posix nt sys subprocess _posixsubprocess pty popen2 platform shutil signal _ctypes mmap fcntl _winapi winreg msvcrt posixpath ntpath',
    'imp runpy pkgutil zipimport site code codeop pdb bdb timeit doctest pydoc cProfile socket _socket ssl threading _thread httplib urllib2 ftplib smtplib telnetlib',
    'webbrowser antigravity pickle _pickle cPickle marshal shelve inspect gc _operator tempfile linecache fileinput',
  ].flatMap((names) => names.split(' ')),
)

/** Packages of the same kind, whatever module inside them is named. */
const NEVER_NEEDED_PACKAGES: ReadonlySet<string> = new Set(
  'os ctypes cffi importlib unittest idlelib venv ensurepip pip setuptools distutils asyncio multiprocessing concurrent http urllib urllib3 requests aiohttp xmlrpc dill cloudpickle joblib sqlite3'.split(
    ' ',
  ),
)

/** Types of the builtins that objects carry as data. */
const PLAIN_BUILTINS: ReadonlySet<string> = new Set(
  'set frozenset list dict tuple int float bool str bytes bytearray complex object slice range xrange type long unicode NotImplementedType Ellipsis'.split(
    ' ',
  ),
)

/** Submodules of packages that are harmless otherwise. */
const NEVER_NEEDED_INSIDE =
  /^(torch\.hub|torch\.utils\.(cpp_extension|collect_env|bundled_inputs)|torch\.distributed\.(run|launch)|numpy\.(testing|distutils|f2py))(\.|$)/

/** A name in Python 3's spelling. */
export function modernGlobal(module: string, name: string): PickleGlobal {
  return { kind: 'global', module: Object.hasOwn(MODERN_MODULES, module) ? (MODERN_MODULES[module] ?? module) : module, name }
}

/** Whether a name belongs to a module that no checkpoint needs. */
export function isNeverNeeded({ module, name }: PickleGlobal): boolean {
  if (module === 'builtins') return !PLAIN_BUILTINS.has(name)
  const [root = ''] = module.split('.')
  return NEVER_NEEDED.has(module) || NEVER_NEEDED_PACKAGES.has(root) || NEVER_NEEDED_INSIDE.test(module)
}

// CPython in WebAssembly (pyodide 314.0.7) in a restricted child: modules and files go in, then JSON requests and answers. See docs/custom-tokenizers.md for what the child can and cannot do.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { createRestrictedChild, type RestrictedChild } from '../child'
import type { DoorAnswer } from '../door-main'
import pythonChild from './python-child.js?raw'
import realm from './realm.js?raw'
import { keepSnapshot, readSnapshot, snapshotPath } from './snapshot'

/** A file of the interpreter's in-memory, read-only file system. */
export interface SandboxFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** Why the interpreter gave no answer: it is gone then, and starts anew with the next request. */
type PythonEnd = 'late' | 'flooded' | 'ended' | 'not-started' | 'unrestricted' | 'trespass' | 'broken'

/** What came back: the program's answer as parsed JSON, or the end of the interpreter and what is known of it. */
export type PythonAnswer =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly end: PythonEnd; readonly reason: string }

/** A Python program: the interpreter starts with the first request. Dispose ends it. */
export interface PythonProcess extends Disposable {
  /** Starts the interpreter where none is alive; the program's state is as at the beginning. True when it was started by this call. */
  readonly ensureStarted: () => Promise<PythonAnswer>
  /** Asks; `maxMs` is the time that Python may take. */
  readonly ask: (request: object, maxMs: number) => Promise<PythonAnswer>
  /** The same, blocking this thread. */
  readonly askNow: (request: object, maxMs: number) => PythonAnswer
  readonly ensureStartedNow: () => PythonAnswer
  readonly alive: () => boolean
}

/** Starting takes 1 to 2 s of processor time; the machine may be busy. */
const MAX_START_MS = 120_000
/** The interpreter, a vocabulary of 250 000 tokens and its tables need about 200 MB. */
const MAX_PYTHON_MEMORY_PAGES = (512 * 1024 * 1024) / 65_536
/** For Pyodide's own JavaScript, and answers on their way. */
const MAX_HEAP_MEGABYTES = 256
/** The pieces of 250 000 tokens are about 5 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** How much longer than Python's own limit the child is waited for: the limit inside is looked at by V8, this one by the parent. */
const KILL_GRACE_MS = 1000

const EXIT_UNRESTRICTED = [71, 72]
const EXIT_LATE = 74

/** Functions that JavaScript lends the interpreter and a running tokenizer needs: strings in and out, reading files in memory, clocks, memory up to its limit. The other 226 answer no more once the interpreter is sealed. */
const OPEN_FUNCTIONS = [
  'JsvArray_Get JsvError_Check JsvNoValue_Check js2python_js js2python_convert js2python_immutable_js _python2js_ascii _python2js_ucs1 _python2js_ucs2 _python2js_ucs4',
  '_PyEM_TrampolineCall_JS _Py_CheckEmscriptenSignals_Helper emscripten_resize_heap emscripten_get_heap_max',
  '__syscall_openat __syscall_stat64 __syscall_lstat64 __syscall_newfstatat __syscall_fstat64 __syscall_getdents64 __syscall_getcwd __syscall_faccessat',
  '__syscall_readlinkat __syscall_fcntl64 __syscall_ioctl __syscall_getuid32_js fd_read fd_pread fd_seek fd_close fd_fdstat_get fd_write',
  'clock_time_get clock_res_get emscripten_get_now emscripten_date_now _localtime_js _gmtime_js _mktime_js _timegm_js _tzset_js random_get',
].join(' ')

/** The interpreter alone takes more. */
const MIN_SNAPSHOT_BYTES = 1024 * 1024
const PYODIDE_VERSION = '314.0.7'
const SITE_PACKAGES = '/lib/python3.14/site-packages'

interface PythonProgram {
  readonly modules: Readonly<Record<string, string>>
  readonly files: readonly SandboxFile[]
}

/** Makes the process of a program: `modules` by name, one of which is `weightroom_tokenizer` with `prepare`, `seal` and `handle`. */
export function createPythonProcess({ modules, files }: PythonProgram): PythonProcess {
  const child = createChild()
  const placed = [...moduleFiles(modules), ...files]
  let started = false
  let memory: Uint8Array | null = null
  const startRequest = () => ({
    bytes: memory === null ? startFrame('none', placed) : startFrame('use', [{ path: '', bytes: memory }, ...placed]),
    maxMs: MAX_START_MS,
  })
  const request = (body: object, maxMs: number) => ({
    bytes: frame({ request: body, maxMs: Math.ceil(maxMs) }, []),
    maxMs: Math.ceil(maxMs) + KILL_GRACE_MS,
  })
  const READY: PythonAnswer = { ok: true, value: false }

  const read = (answer: DoorAnswer): PythonAnswer => {
    const result = readAnswer(answer)
    started = result.ok
    // After a closed door was tried, or the interpreter broke, nothing inside is to be relied on.
    if (!result.ok && (result.end === 'trespass' || result.end === 'broken')) child.kill()
    return result
  }
  return {
    alive: () => started,
    ensureStarted: async () => {
      memory ??= await startMemory(modules)
      return started ? READY : read(await child.ask(startRequest()))
    },
    ensureStartedNow: () => (started ? READY : read(child.askNow(startRequest()))),
    ask: async (body, maxMs) => read(await child.ask(request(body, maxMs))),
    askNow: (body, maxMs) => read(child.askNow(request(body, maxMs))),
    [Symbol.dispose]: () => child[Symbol.dispose](),
  }
}

function createChild(): RestrictedChild {
  return createRestrictedChild({
    text: pythonChild,
    createHandler: '_createPythonHandler',
    readableFolder: dirname(createRequire(import.meta.url).resolve('pyodide/package.json')),
    maxHeapMegabytes: MAX_HEAP_MEGABYTES,
    maxAnswerBytes: MAX_ANSWER_BYTES,
  })
}

function moduleFiles(modules: Readonly<Record<string, string>>): SandboxFile[] {
  return Object.entries(modules).map(([name, text]) => ({ path: `${SITE_PACKAGES}/${name}.py`, bytes: new TextEncoder().encode(text) }))
}

function startFrame(snapshot: 'make' | 'use' | 'none', files: readonly SandboxFile[]): Uint8Array {
  return frame(
    {
      start: { realm, maxPages: MAX_PYTHON_MEMORY_PAGES, open: OPEN_FUNCTIONS, snapshot },
      files: files.map(({ path, bytes }) => ({ path, sizeBytes: bytes.length })),
    },
    files.map(({ bytes }) => bytes),
  )
}

/** Memory to start from: kept from an earlier start, or made now. Null where neither works: then each start takes its whole time. */
async function startMemory(modules: Readonly<Record<string, string>>): Promise<Uint8Array | null> {
  const path = snapshotPath([PYODIDE_VERSION, realm, pythonChild, ...Object.values(modules)])
  const kept = await readSnapshot(path)
  if (kept !== null) return kept
  using child = createChild()
  const answer = await child.ask({ bytes: startFrame('make', moduleFiles(modules)), maxMs: MAX_START_MS })
  // A failure is answered as a short JSON text; it will show again when the program is started.
  if (!answer.ok || answer.bytes.length < MIN_SNAPSHOT_BYTES) return null
  await keepSnapshot(path, answer.bytes)
  return answer.bytes
}

function frame(header: object, parts: readonly Uint8Array[]): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(4 + json.length + parts.reduce((sum, part) => sum + part.length, 0))
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, 4)
  let at = 4 + json.length
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function readAnswer(answer: DoorAnswer): PythonAnswer {
  if (!answer.ok) {
    const { exitCode, said } = answer
    const memory = said.includes('heap out of memory') ? 'out of memory' : ''
    if (exitCode !== null && EXIT_UNRESTRICTED.includes(exitCode)) return { ok: false, end: 'unrestricted', reason: '' }
    if (exitCode === EXIT_LATE) return { ok: false, end: 'late', reason: '' }
    return { ok: false, end: answer.end, reason: memory || (exitCode === null ? '' : `exit code ${exitCode}`) }
  }
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(answer.bytes))
  } catch {
    return { ok: false, end: 'broken', reason: 'its answer is no JSON' }
  }
  const trespass = textOf(value, 'trespass')
  if (trespass !== null) return { ok: false, end: 'trespass', reason: trespass }
  const fatal = textOf(value, 'fatal')
  return fatal === null ? { ok: true, value } : { ok: false, end: 'broken', reason: fatal }
}

function textOf(value: unknown, key: string): string | null {
  if (typeof value !== 'object' || value === null || !(key in value)) return null
  const text: unknown = Object.getOwnPropertyDescriptor(value, key)?.value
  return typeof text === 'string' ? text : null
}

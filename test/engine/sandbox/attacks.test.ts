// A hostile tokenization_*.py in the real sandbox: every attack is Python run by the tokenizer while it encodes.
import { once } from 'node:events'
import { cpSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EngineError } from '../../../engine/errors'
import { loadCustomTokenizer } from '../../../engine/tokenizer/custom/load-custom'
import { findCustomCode } from '../../../engine/tokenizer/load'
import type { Tokenizer } from '../../../engine/tokenizer/types'
import { temporaryFolder } from '../../support/temporary-folder'

const fixture = resolve(import.meta.dirname, '../../fixtures/custom-tokenizers/attack')
const MINIMUM_MS = 3000

let server: Server
let connections = 0
let tokenizer: Tokenizer | null = null
const temporary = temporaryFolder()
const folder = temporary.path

async function load(): Promise<Tokenizer> {
  const code = await findCustomCode(folder)
  if (code === null) throw new Error('no code')
  return await loadCustomTokenizer(code, { minRequestMs: MINIMUM_MS })
}

beforeAll(async () => {
  process.env['SANDBOX_TEST_SECRET'] = 'hunter2'
  server = createServer((socket) => {
    connections++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cpSync(fixture, folder, { recursive: true })
  for (const name of ['secret.txt', 'model.safetensors', '.env', 'other.py']) writeFileSync(join(folder, name), 'hunter2')
  tokenizer = await load()
}, 120_000)

afterAll(() => {
  tokenizer?.[Symbol.dispose]?.()
  server.close()
  temporary[Symbol.dispose]()
})

function refuse(): never {
  throw new Error('the tokenizer is not loaded')
}

/** What the attack got hold of, or the code and the end of a sandbox that was stopped for it. */
function attack(source: string): string {
  try {
    const ids = (tokenizer ?? refuse()).encode(source, { addSpecial: false, parseSpecial: true })
    return String.fromCharCode(...ids)
  } catch (problem) {
    if (!(problem instanceof EngineError)) throw problem
    return `${problem.code} ${String(problem.details['end'] ?? problem.details['problem'])}`
  }
}
const port = (): number => (server.address() as AddressInfo).port

describe('hostile tokenizer: files', () => {
  it('runs at all', () => {
    expect(attack('result = "".join(["a", "b"])')).toBe('ab')
  })

  it('finds no file of the machine', () => {
    expect(attack('result = open("/etc/passwd").read()')).toMatch(/^FileNotFoundError/)
    expect(attack('import os; result = sorted(os.listdir("/"))')).toBe("['dev', 'home', 'lib', 'model', 'proc', 'tmp']")
    expect(attack(`import os; result = os.path.exists(${JSON.stringify(folder)})`)).toBe('False')
  })

  it('sees of its own folder what a tokenizer is made of, and nothing else', () => {
    expect(attack('import os; result = sorted(os.listdir("/model"))')).toBe("['tokenization_attack.py', 'tokenizer_config.json']")
  })

  it('writes nothing, not even in memory', () => {
    expect(attack('open("/tmp/x", "w")')).toMatch(/^OSError.*Read-only/)
    expect(attack('open("/model/tokenization_attack.py", "r+b", buffering=0).write(b"x")')).toMatch(/Error/)
    expect(attack('import os; os.mkdir("/tmp/x")')).toMatch(/Error/)
    expect(attack('import os; os.truncate("/model/tokenizer_config.json", 10**9)')).toMatch(/Error/)
    expect(attack('import os; r, w = os.pipe(); os.write(w, b"x" * 10**6)')).toMatch(/Error/)
  })

  it('knows no variable of the environment', () => {
    expect(attack('import os; result = [v for v in os.environ.values() if "hunter" in v]')).toBe('[]')
  })
})

describe('hostile tokenizer: network', () => {
  it.each([
    'import socket; socket.create_connection(("127.0.0.1", PORT), 2)',
    'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("127.0.0.1", PORT))',
    'import urllib.request; urllib.request.urlopen("http://127.0.0.1:PORT/", timeout=2)',
    'from pyodide.http import pyfetch',
    'import micropip',
    'import asyncio; asyncio.run(asyncio.open_connection("127.0.0.1", PORT))',
  ])('reaches nobody: %s', (source) => {
    expect(attack(source.replace('PORT', String(port())))).toMatch(/Error|custom-code-stopped/)
    expect(connections).toBe(0)
  })
})

describe('hostile tokenizer: JavaScript', () => {
  it.each(['js', 'pyodide', 'pyodide_js', 'pyodide.ffi', 'pyodide.code', '_pyodide_core', '_pyodide._base'])('cannot import %s', (name) => {
    expect(attack(`import ${name}`)).toMatch(/^(ModuleNotFoundError|ImportError)/)
  })

  it('gains nothing by importing the bridge again', () => {
    const again = 'import sys\nfor name in list(sys.modules):\n  if sys.modules[name] is None: del sys.modules[name]\n'
    expect(attack(`${again}import js\nresult = dir(js)`)).toMatch(/^(ModuleNotFoundError|ImportError)|custom-code-stopped/)
    expect(attack(`${again}from pyodide.code import run_js\nresult = run_js("1+1")`)).toMatch(/Error|custom-code-stopped/)
  })

  it('gains nothing from the proxies that lie in memory', () => {
    const walk = [
      'import gc',
      'found = [each for each in gc.get_objects() if "Js" in type(each).__name__]',
      'result = "none"',
      'for each in found:',
      '  if type(each).__name__.startswith("JsProxy") or type(each).__name__ in ("JsCallable", "JsDoubleProxy", "JsBuffer"):',
      '    result = each.constructor.constructor("return 1")()',
    ].join('\n')
    expect(attack(walk)).toMatch(/^none$|Error|custom-code-stopped trespass/)
  })

  it.each([
    'import ctypes; result = ctypes.CDLL(None).emscripten_run_script(b"1")',
    'import ctypes; result = ctypes.pythonapi.Py_GetVersion()',
    'import _ctypes; result = _ctypes.dlopen("/lib/x.so", 0)',
  ])('calls no function by address: %s', (source) => {
    expect(attack(source)).toMatch(/Error|custom-code-stopped/)
  })
})

describe('hostile tokenizer: processes', () => {
  it.each([
    'import os; result = os.system("true")',
    'import subprocess; result = subprocess.run(["true"])',
    'import os; result = os.fork()',
    'import threading; threading.Thread(target=print).start()',
    'import os; os.kill(1, 9)',
  ])('starts and ends nothing: %s', (source) => {
    expect(attack(source)).toMatch(/Error|custom-code-stopped|^-?\d+$|None/)
    expect(attack('result = "alive"')).toBe('alive')
  })

  it('ends itself at most: the next request finds a new interpreter', () => {
    expect(attack('import os; os._exit(0)')).toMatch(/custom-code-stopped/)
    expect(attack('result = "alive"')).toBe('alive')
  })
})

describe('hostile tokenizer: limits', () => {
  it('is stopped when it does not end', () => {
    const startMs = performance.now()
    expect(attack('while True: pass')).toBe('tokenizer/custom-code-stopped late')
    expect(performance.now() - startMs).toBeLessThan(MINIMUM_MS + 20_000)
  })

  it('has an end to its recursion', () => {
    expect(attack('def f(): f()\nf()')).toMatch(/^RecursionError/)
    expect(attack('import json; json.loads("[" * 10**5)')).toMatch(/RecursionError|custom-code-stopped/)
  })

  it('has an end to its memory', () => {
    expect(attack('x = bytes(600 << 20)')).toMatch(/^MemoryError/)
    expect(attack('x = [None] * 10**9')).toMatch(/^MemoryError/)
    const grow = 'x = []\ntry:\n  while True: x.append(bytearray(32 << 20))\nexcept MemoryError: pass\nresult = len(x)\nx = None'
    // Where the machine is slow, the time ends before the memory.
    expect(attack(grow)).toMatch(/^\d$|^1[0-5]$|custom-code-stopped late/)
    expect(attack('result = "alive"')).toBe('alive')
  })

  it('answers for itself only: no message is forged on its way out', () => {
    expect(attack('import os\nfor fd in range(3): os.write(fd, b"\\x02\\0\\0\\0{}")')).toMatch(/Error/)
    expect(attack('print("x" * 10**6); import sys; sys.stdout.write("{}"); result = "quiet"')).toBe('quiet')
    expect(attack('tokenizer._convert_token_to_id = lambda token: 10**9')).toMatch(/not in its vocabulary/)
    expect(attack('tokenizer._convert_token_to_id = lambda token: "7"')).not.toMatch(/hunter/)
  })

  it('changes the libraries of its own process only', async () => {
    attack('import transformers; transformers.PreTrainedTokenizer.encode = lambda self, *a, **k: [7]')
    expect(attack('result = 1')).toBe('\u0007')
    const other = await load()
    expect(other.encode('result = 1', { addSpecial: false, parseSpecial: true })).toEqual([49])
    other[Symbol.dispose]?.()
  })
})

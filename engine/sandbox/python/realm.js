// Runs inside a bare V8 context of the restricted child, which knows ECMAScript and WebAssembly and nothing of Node: starts Pyodide (CPython in WebAssembly), hands it files, closes
// every door between Python and JavaScript that running a tokenizer does not need, and then answers requests, strings in and strings out.
// Follows pyodide 314.0.7 (pyodide.js, pyodide.asm.mjs), started as in a shell without a network: `read`, `load` and `readbuffer` are what such shells have.
'use strict'
{
  const realm = globalThis
  const nothing = () => {}
  const absent = () => {
    throw new Error('absent')
  }

  // What Pyodide needs of a host, without one.
  realm.read = absent
  realm.load = absent
  realm.console = { log: nothing, warn: nothing, error: nothing, info: nothing, debug: nothing, trace: nothing, assert: nothing }
  realm.setTimeout = () => 0
  realm.clearTimeout = nothing
  realm.performance = { now: () => Date.now(), timeOrigin: 0 }
  realm.TextEncoder = class {
    encodeInto(text, target) {
      const bytes = this.encode(text)
      target.set(bytes)
      return { written: bytes.length }
    }
    encode(text) {
      const bytes = []
      for (const character of String(text)) {
        const code = character.codePointAt(0)
        if (code < 0x80) bytes.push(code)
        else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63))
        else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
        else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
      }
      return new Uint8Array(bytes)
    }
  }
  const LATIN = new Set(['latin1', 'ascii', 'iso-8859-1'])
  realm.TextDecoder = class {
    #label
    constructor(label = 'utf-8') {
      this.#label = String(label).toLowerCase()
    }
    decode(view) {
      if (view === undefined) return ''
      const bytes = view instanceof Uint8Array ? view : new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength)
      let text = ''
      if (LATIN.has(this.#label)) {
        for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192))
      } else if (this.#label.startsWith('utf-16') || this.#label.startsWith('utf16')) {
        for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode(bytes[at] | (bytes[at + 1] << 8))
      } else {
        for (let at = 0; at < bytes.length;) {
          const first = bytes[at++]
          if (first < 0x80) text += String.fromCharCode(first)
          else if (first < 0xe0) text += String.fromCharCode(((first & 31) << 6) | (bytes[at++] & 63))
          else if (first < 0xf0) text += String.fromCharCode(((first & 15) << 12) | ((bytes[at++] & 63) << 6) | (bytes[at++] & 63))
          else
            text += String.fromCodePoint(((first & 7) << 18) | ((bytes[at++] & 63) << 12) | ((bytes[at++] & 63) << 6) | (bytes[at++] & 63))
        }
      }
      return text
    }
  }
  // Pyodide's shells ask the operating system's shell for random bytes, in base64. A tokenizer gets the same "random" bytes in every run.
  const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  let seed = 1
  realm.os = {
    system: (_, args) => {
      const count = Number(/head -c(\d+)/.exec(args[1])[1])
      const padding = (3 - (count % 3)) % 3
      let text = ''
      for (let index = Math.ceil(count / 3) * 4 - padding; index > 0; index--) {
        seed = (seed * 1103515245 + 12345) % 2147483648
        text += BASE64[(seed >> 8) & 63]
      }
      return text + '='.repeat(padding)
    },
  }
  // Stack switching would let Python wait for promises; without it Node 20 and later versions behave alike.
  delete WebAssembly.Suspending
  delete WebAssembly.promising

  // Every function that JavaScript lends the interpreter passes a gate. Once sealed, only those on the list can be called.
  let open = null
  let trespass = ''
  const gate = (name, lent) => {
    const gated = (...args) => {
      if (open !== null && !open.has(name)) {
        // A refused system call is an error like any other (EPERM); what leads to JavaScript ends the interpreter.
        if (name.startsWith('__syscall_')) return -63
        if (name.startsWith('fd_')) return 63
        trespass = trespass || name
        throw new Error(`closed: ${name}`)
      }
      return lent(...args)
    }
    return Object.assign(gated, lent)
  }
  const instantiate = WebAssembly.instantiate
  WebAssembly.instantiate = (binary, imports) => {
    for (const module of imports?.env ? [imports.env, imports.wasi_snapshot_preview1] : []) {
      for (const [name, lent] of Object.entries(module)) if (typeof lent === 'function') module[name] = gate(name, lent)
    }
    return instantiate(binary, imports)
  }

  let pyodide = null
  let handle = null
  const state = { ready: false, failure: '' }
  realm.sandbox = {
    state,
    /** Starts the interpreter, anew or from the snapshot lying in `realm.memory`; `state` says when it is ready. One that is started to make a snapshot does nothing else. */
    boot: (lock, purpose) => {
      const memory = { make: { _makeSnapshot: true }, use: { _loadSnapshot: realm.memory }, none: {} }[purpose]
      const files = { 'pyodide.asm.wasm': realm.wasm, 'python_stdlib.zip': realm.library }
      realm.readbuffer = (name) => files[String(name).split('/').at(-1)] ?? absent()
      realm
        .loadPyodide({
          ...memory,
          indexURL: '/pyodide/',
          createPyodideModule: realm._createPyodideModule,
          lockFileContents: { info: JSON.parse(lock), packages: {} },
          packageBaseUrl: '/pyodide/',
          jsglobals: Object.freeze(Object.create(null)),
          env: { HOME: '/', PYTHONHASHSEED: '0', PYTHONDONTWRITEBYTECODE: '1' },
          stdin: () => null,
          stdout: nothing,
          stderr: nothing,
          enableRunUntilComplete: false,
        })
        .then(
          (started) => {
            pyodide = started
            delete realm.memory
            delete realm.wasm
            delete realm.library
            delete realm.readbuffer
            state.ready = true
          },
          (problem) => {
            state.failure = String(problem)
          },
        )
    },
    /** Writes the bytes lying in `realm.handed` to a file of the in-memory file system. */
    place: (path) => {
      pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf('/')))
      pyodide.FS.writeFile(path, realm.handed)
      delete realm.handed
    },
    /** The interpreter's memory after everything that a tokenizer may import has been imported. */
    snapshot: () => {
      pyodide.runPython('import weightroom_tokenizer\nweightroom_tokenizer.prepare()')
      return pyodide.makeMemorySnapshot()
    },
    /** Closes the doors: the file system becomes read-only, and JavaScript's functions answer no more but the named ones. */
    seal: (names) => {
      const { FS } = pyodide
      const refuse = () => {
        throw new FS.ErrnoError(69)
      }
      const { write } = FS
      FS.write = (stream, ...rest) => (stream.tty ? write(stream, ...rest) : refuse())
      for (const name of [
        'mknod mkdir mkdev symlink rename rmdir unlink chmod fchmod lchmod chown fchown lchown truncate ftruncate doTruncate utime allocate',
        'mount unmount createFile createDataFile createDevice createLazyFile createPreloadedFile writeFile createPath',
      ].flatMap((line) => line.split(' '))) {
        FS[name] = refuse
      }
      handle = pyodide.runPython(
        'import weightroom_tokenizer\nweightroom_tokenizer.prepare()\nweightroom_tokenizer.seal()\nweightroom_tokenizer.handle',
      )
      open = new Set(names.split(' '))
      pyodide = null
    },
    /** Answers the request lying in `realm.request`, both JSON texts. */
    serve: () => {
      const { request } = realm
      delete realm.request
      let answer
      try {
        answer = handle(request)
      } catch (problem) {
        if (trespass !== '') return JSON.stringify({ trespass })
        return JSON.stringify({ fatal: String(problem).slice(0, 2000) })
      }
      if (trespass !== '') return JSON.stringify({ trespass })
      return typeof answer === 'string' ? answer : JSON.stringify({ fatal: 'the answer is no text' })
    },
  }
  // Code made from strings is forbidden in this context; the proof is part of the start.
  try {
    Function('return 1')()
    state.failure = 'code can be made from strings'
  } catch {
    // Expected.
  }
}

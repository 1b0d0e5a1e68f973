// The second half of the Python child's program: reads Pyodide from the one folder that the child may read, starts it in a context of its own, and passes requests in.
// A request is a header (4-byte little-endian length, then JSON) and the bytes of the files it names. Follows realm.js.

/** The WebAssembly binary with its memory limited to `maxPages` of 64 KiB; the limit is written with as many bytes as the one it replaces. */
function limitMemory(wasm, maxPages) {
  const MEMORY_SECTION = 5
  let at = 8
  const readNumber = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++]
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
  }
  while (at < wasm.length) {
    const section = wasm[at++]
    const end = readNumber() + at
    if (section === MEMORY_SECTION) {
      const count = readNumber()
      const flags = wasm[at++]
      const initialPages = readNumber()
      const start = at
      const old = readNumber()
      if (count !== 1 || (flags & 1) === 0 || old < maxPages || initialPages > maxPages) throw new Error('unexpected memory section')
      let rest = maxPages
      for (let index = start; index < at; index++) {
        wasm[index] = (rest & 127) | (index < at - 1 ? 128 : 0)
        rest = Math.floor(rest / 128)
      }
      if (rest !== 0) throw new Error('unexpected memory section')
      return
    }
    at = end
  }
  throw new Error('no memory section')
}

/** Makes the handler of requests. */
function _createPythonHandler(node) {
  const { fs, vm, folder, Buffer: Bytes, exit } = node
  const { TextDecoder, setTimeout } = globalThis
  const now = performance.now.bind(performance)
  let context = null
  const run = (code, options) => new vm.Script(code, { filename: 'sandbox' }).runInContext(context, options)

  /** Bytes become an array of the context's own: an object of this side would lead back to it. */
  const hand = (name, bytes) => {
    const inside = run(`globalThis.${name} = new Uint8Array(${bytes.length})`)
    Uint8Array.prototype.set.call(inside, bytes)
  }

  const answerOf = (value) => Bytes.from(JSON.stringify(value))

  async function start({ realm, maxPages, open, snapshot }, files) {
    context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: true } })
    run(realm)
    const read = (name) => fs.readFileSync(`${folder}/${name}`)
    const module = read('pyodide.asm.mjs').toString('utf8')
    const script = module.replace(/export default _createPyodideModule;?\s*$/, '').replaceAll('import.meta.url', '""')
    run(script)
    run('var exports = {}, module')
    run(read('pyodide.js').toString('utf8'))
    const wasm = read('pyodide.asm.wasm')
    limitMemory(wasm, maxPages)
    hand('wasm', wasm)
    hand('library', read('python_stdlib.zip'))
    const lock = JSON.parse(read('pyodide-lock.json').toString('utf8'))
    context.lock = JSON.stringify(lock.info)
    if (snapshot === 'use') hand('memory', files.shift()[1])
    context.purpose = snapshot
    run('sandbox.boot(globalThis.lock, globalThis.purpose)')
    while (run('sandbox.state.ready === false && sandbox.state.failure === ""')) await new Promise((resolve) => setTimeout(resolve, 2))
    const failure = run('sandbox.state.failure')
    if (failure !== '') return answerOf({ fatal: String(failure).slice(0, 2000) })
    for (const [path, bytes] of files) {
      hand('handed', bytes)
      context.path = path
      run('sandbox.place(globalThis.path)')
    }
    if (snapshot === 'make') {
      const memory = run('sandbox.snapshot()')
      const copy = Bytes.alloc(memory.length)
      copy.set(memory)
      return copy
    }
    context.open = open
    run('sandbox.seal(globalThis.open)')
    return answerOf({})
  }

  return async (frame) => {
    const headerSize = frame.readUInt32LE(0)
    const header = JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + headerSize)))
    let at = 4 + headerSize
    const files = (header.files ?? []).map(({ path, sizeBytes }) => [path, frame.subarray(at, (at += sizeBytes))])
    if (header.start !== undefined) return await start(header.start, files)
    context.request = JSON.stringify(header.request)
    let answer = ''
    const startMs = now()
    try {
      answer = run('sandbox.serve()', { timeout: header.maxMs })
    } catch {
      // Past its time, or broken: the interpreter is in no state to go on. What was thrown is not looked at: it may come from inside.
      exit(now() - startMs >= header.maxMs ? 74 : 76)
    }
    if (typeof answer !== 'string') exit(75)
    return Bytes.from(answer, 'utf8')
  }
}

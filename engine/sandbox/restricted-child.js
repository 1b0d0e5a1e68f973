// The first half of every restricted child's program: proves its own restrictions, takes Node's globals away, and answers frames on standard input with frames on standard output.
// A frame is a 4-byte little-endian length and as many bytes. The text of this file runs with `node -e`; nothing may be imported.

/** Starts serving. `createHandler` gets what of Node the program may keep, and returns a function from request bytes to answer bytes (or a promise of them). */
function _serveFrames(require, createHandler) {
  const { permission, stdin, stdout } = process
  const quit = process.exit.bind(process)
  // The flags may be missing or ignored where the child runs on another program than Node: then nothing is run at all.
  const scopes = ['fs.read', 'fs.write', 'child', 'worker']
  if (permission === undefined || scopes.some((scope) => permission.has(scope))) quit(71)
  try {
    Function('return 1')()
    quit(72)
  } catch {
    // Expected: code cannot be made from strings.
  }
  const node = { fs: require('node:fs'), vm: require('node:vm'), folder: process.argv[1], exit: quit, Buffer }
  const language = new Set(
    (
      'Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ' +
      'ReferenceError SyntaxError TypeError URIError globalThis JSON Math Intl ArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array ' +
      'Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt Set WeakMap WeakSet WeakRef Proxy Reflect FinalizationRegistry ' +
      'SharedArrayBuffer decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN WebAssembly Iterator Float16Array'
    ).split(' '),
  )
  const handle = createHandler(node)
  const forget = () => {
    for (const name of Object.getOwnPropertyNames(globalThis)) if (!language.has(name)) Reflect.deleteProperty(globalThis, name)
  }
  forget()

  const answer = (bytes) => {
    const length = node.Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    stdout.write(length)
    stdout.write(bytes)
  }
  let held = []
  let heldBytes = 0
  let wantedBytes = 4
  const takeFrame = () => {
    // Put together once, not at every piece: a frame may come in hundreds.
    if (heldBytes < wantedBytes) return null
    const all = held.length === 1 ? held[0] : node.Buffer.concat(held)
    held = [all]
    const size = all.readUInt32LE(0)
    wantedBytes = 4 + size
    if (heldBytes < wantedBytes) return null
    const frame = all.subarray(4, wantedBytes)
    held = [all.subarray(wantedBytes)]
    heldBytes -= wantedBytes
    wantedBytes = 4
    return frame
  }
  let turn = Promise.resolve()
  const serve = (frame) => {
    // Node gives `module` back once this text has run.
    forget()
    turn = turn.then(() => handle(frame)).then(answer, () => quit(73))
  }
  stdin.on('data', (chunk) => {
    held.push(chunk)
    heldBytes += chunk.length
    for (let frame = takeFrame(); frame !== null; frame = takeFrame()) serve(frame)
  })
  // The one who started this child is gone.
  stdin.on('end', () => quit(0))
}

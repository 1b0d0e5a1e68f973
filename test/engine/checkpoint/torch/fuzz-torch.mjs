// Structure-aware fuzzing of the PyTorch readers: node test/engine/checkpoint/torch/fuzz-torch.mjs [mutations] [seed]. Not part of the test run.
// Every mutation must open or fail with a code, within two seconds; whatever opens must give every tensor in full.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { runnerImport } from 'vite'

const count = Number(process.argv[2] ?? 20_000)
const firstSeed = Number(process.argv[3] ?? 1)
const root = resolve(import.meta.dirname, '../../../..')
const reference = resolve(root, '../shared/reference/checkpoints')
const MAX_CASE_MS = 2000
const MAX_READ_BYTES = 16 * 1024 * 1024
const MAX_SOURCE_BYTES = 64 * 1024

const load = async (path) =>
  (await runnerImport(join(root, path), { configFile: false, logLevel: 'error', oxc: { target: 'node20' } })).module
const { openCheckpoint } = await load('engine/checkpoint/open.ts')
const { zipFile } = await load('test/support/zip-writer.ts')

if (!existsSync(reference)) throw new Error(`The reference files are not at ${reference}.`)

/** Mulberry32: the same mutations for the same seed on every machine. */
function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const FIXED = { J: 4, K: 1, M: 2, G: 8, h: 1, j: 4, q: 1, r: 4, '\x80': 1, '\x82': 1, '\x83': 2, '\x84': 4, '\x95': 8 }
const PREFIXED = { T: 4, U: 1, X: 4, B: 4, C: 1, '\x8a': 1, '\x8b': 4, '\x8c': 1, '\x8d': 8, '\x8e': 8, '\x96': 8 }
const LINES = { I: 1, L: 1, F: 1, S: 1, V: 1, c: 2, i: 2, g: 1, p: 1, P: 1 }

/** The instructions of a correct pickle from `start` to its STOP. */
function instructions(bytes, start) {
  const found = []
  let position = start
  for (;;) {
    const from = position
    const code = String.fromCharCode(bytes[position++])
    if (code in FIXED) position += FIXED[code]
    else if (code in PREFIXED) {
      const size = PREFIXED[code]
      const length = size === 1 ? bytes[position] : bytes.readUInt32LE(position)
      position += size + length
    } else if (code in LINES) for (let line = 0; line < LINES[code]; line++) position = bytes.indexOf(10, position) + 1
    found.push(bytes.subarray(from, position))
    if (code === '.' || position >= bytes.length) return { found, end: position }
  }
}

const NAMES = [
  'os system',
  'builtins eval',
  'torch._utils _rebuild_tensor_v3',
  'torch UntypedStorage',
  'torch float64',
  'collections OrderedDict',
  'torch.hub load',
  'torch._tensor _rebuild_from_type_v2',
  'argparse Namespace',
  'builtins set',
  'torch DoubleStorage',
  'copyreg _reconstructor',
]
const NUMBERS = [0, 1, 2, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
const OPCODES = '(.012FIJKLMNPQRSTUVX]abcdeghijlopqrstu})\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8f\x90\x91\x92\x93\x94\x95\x96\x97'

/** Changes a few instructions: arguments, order, names, numbers. */
function mutatePickle(list, random) {
  const result = [...list]
  const any = (items) => items[Math.floor(random() * items.length)]
  const place = () => Math.floor(random() * result.length)
  for (let times = 1 + Math.floor(random() * 4); times > 0; times--) {
    const at = place()
    const kind = Math.floor(random() * 8)
    if (kind === 0) result.splice(at, 1)
    else if (kind === 1) result.splice(at, 0, any(result))
    else if (kind === 2) [result[at], result[place()]] = [any(result), result[at]]
    else if (kind === 3) result[at] = Buffer.from(any(OPCODES), 'latin1')
    else if (kind === 4) result[at] = Buffer.from(`c${any(NAMES).replace(' ', '\n')}\n`)
    else if (kind === 5) {
      const bytes = Buffer.alloc(5)
      bytes[0] = 0x4a
      bytes.writeUInt32LE(any(NUMBERS), 1)
      const numbers = result.flatMap((item, index) => ('JKM'.includes(String.fromCharCode(item[0])) ? [index] : []))
      result[numbers.length > 0 ? any(numbers) : at] = bytes
    } else if (kind === 6) {
      const bytes = Buffer.from(result[at])
      if (bytes.length > 1) bytes[1 + Math.floor(random() * (bytes.length - 1))] = Math.floor(random() * 256)
      result[at] = bytes
    } else result.splice(at, 0, ...result.slice(at, at + 1 + Math.floor(random() * 40)))
  }
  return Buffer.concat(result)
}

/** The entries of a correct archive whose directory has no zip64 numbers. */
function entriesOf(bytes) {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  const entries = []
  let position = bytes.readUInt32LE(end + 16)
  for (let index = bytes.readUInt16LE(end + 10); index > 0; index--) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => bytes.readUInt16LE(position + offset))
    const header = bytes.readUInt32LE(position + 42)
    const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28)
    const data = bytes.subarray(start, start + bytes.readUInt32LE(position + 20))
    const name = bytes.toString('utf8', position + 46, position + 46 + nameBytes)
    entries.push({ name, bytes: bytes.readUInt16LE(position + 10) === 8 ? inflateRawSync(data) : data })
    position += 46 + nameBytes + extraBytes + commentBytes
  }
  return { entries, directory: bytes.readUInt32LE(end + 16) }
}

function mutateBytes(bytes, random, from) {
  const result = Buffer.from(bytes)
  for (let times = 1 + Math.floor(random() * 6); times > 0; times--) {
    const at = from + Math.floor(random() * (result.length - from))
    const kind = Math.floor(random() * 4)
    if (kind === 0) result[at] = Math.floor(random() * 256)
    else if (kind === 1) result[at] ^= 1 << Math.floor(random() * 8)
    else if (at + 4 <= result.length) result.writeUInt32LE(NUMBERS[Math.floor(random() * NUMBERS.length)], at)
  }
  return random() < 0.1 ? result.subarray(0, Math.floor(random() * result.length)) : result
}

const LIES = ['sizeBytes', 'compressedBytes', 'headerOffsetBytes', 'method', 'flags', 'crc32']

function mutateArchive(source, random) {
  const { entries, directory } = source.archive
  if (random() < 0.25) return mutateBytes(source.bytes, random, random() < 0.7 ? directory : 0)
  const changed = entries.map((entry) => ({ ...entry, deflate: random() < 0.1 }))
  const target = changed.findIndex(({ name }) => name.endsWith('data.pkl'))
  changed[target].bytes = mutatePickle(source.instructions, random)
  if (random() < 0.2) {
    const victim = changed[Math.floor(random() * changed.length)]
    const lie = LIES[Math.floor(random() * LIES.length)]
    const value = NUMBERS[Math.floor(random() * NUMBERS.length)]
    victim[lie] = lie === 'method' || lie === 'flags' ? value & 0xffff : value
  }
  if (random() < 0.05) changed.push(changed[Math.floor(random() * changed.length)])
  return zipFile(changed)
}

function mutateLegacy(source, random) {
  if (random() < 0.25) return mutateBytes(source.bytes, random, 0)
  const parts = source.pickles.map((list, index) => (index === 3 || random() < 0.1 ? mutatePickle(list, random) : Buffer.concat(list)))
  return Buffer.concat([...parts, source.data])
}

function readSource(name) {
  const bytes = readFileSync(join(reference, name))
  if (bytes.length > MAX_SOURCE_BYTES) return null
  if (bytes.readUInt32LE(0) === 0x04034b50) {
    if (bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1')) < 0) return null
    const archive = entriesOf(bytes)
    const pickle = archive.entries.find((entry) => entry.name.endsWith('data.pkl'))
    return pickle && pickle.bytes.length < MAX_SOURCE_BYTES
      ? { name, bytes, archive, instructions: instructions(pickle.bytes, 0).found, mutate: mutateArchive }
      : null
  }
  const pickles = []
  let position = 0
  for (let index = 0; index < 5; index++) {
    const { found, end } = instructions(bytes, position)
    pickles.push(found)
    position = end
  }
  return { name, bytes, pickles, data: bytes.subarray(position), mutate: mutateLegacy }
}

async function check(path) {
  const checkpoint = await openCheckpoint(path)
  try {
    for (const { name, sizeBytes } of checkpoint.tensors.values()) {
      if (sizeBytes > MAX_READ_BYTES) continue
      const bytes = await checkpoint.read(name)
      if (bytes.length !== sizeBytes) throw new Error(`${name} gave ${bytes.length} of ${sizeBytes} bytes`)
      const half = sizeBytes >> 1
      const rest = await checkpoint.readRange({ name, offsetBytes: half, sizeBytes: sizeBytes - half })
      if (Buffer.compare(rest, bytes.subarray(half)) !== 0) throw new Error(`${name} differs when it is read in parts`)
    }
  } finally {
    checkpoint[Symbol.dispose]()
  }
}

const folder = mkdtempSync(join(tmpdir(), 'weightroom-fuzz-'))
const sources = readdirSync(reference)
  .filter((name) => /\.(bin|pt|pth)$/.test(name))
  .map(readSource)
  .filter((source) => source !== null)
const codes = new Map()
const failures = []
try {
  for (let index = 0; index < count; index++) {
    const seed = firstSeed + index
    const random = randomOf(seed)
    const source = sources[Math.floor(random() * sources.length)]
    const path = join(folder, `case${source.name.slice(source.name.lastIndexOf('.'))}`)
    writeFileSync(path, source.mutate(source, random))
    const start = performance.now()
    let code = 'opened'
    try {
      await check(path)
    } catch (error) {
      code = error?.name === 'EngineError' ? error.code : 'crash'
      if (code === 'crash') failures.push(`seed ${seed} (${source.name}): ${error?.stack ?? error}`)
    }
    const elapsedMs = performance.now() - start
    if (elapsedMs > MAX_CASE_MS) failures.push(`seed ${seed} (${source.name}): ${Math.round(elapsedMs)} ms, ${code}`)
    codes.set(code, (codes.get(code) ?? 0) + 1)
    if (failures.length >= 20) break
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const table = [...codes].sort(([, a], [, b]) => b - a).map(([code, times]) => `${String(times).padStart(7)}  ${code}`)
process.stdout.write(`${sources.length} files, seeds ${firstSeed} to ${firstSeed + count - 1}\n${table.join('\n')}\n`)
process.stdout.write(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`)
for (const failure of failures) process.stdout.write(`${failure}\n`)
process.exitCode = failures.length === 0 ? 0 : 1

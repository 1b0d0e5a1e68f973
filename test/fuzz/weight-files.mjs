// Damages real weight files at random and opens them: every outcome must be tensors or an error of the catalogue, soon and in little memory.
// Usage: node test/fuzz/weight-files.mjs [--seed 1] [--count 4000] [--case 17] [file or folder ...]; without files the reference checkpoints are used.
import { copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'vite'

const root = resolve(import.meta.dirname, '../..')
const reference = resolve(root, '../shared/reference/checkpoints')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '4000' }, case: { type: 'string' } },
})
const seed = Number(values.seed)
const count = Number(values.count)
/** With a number, only that case is opened; its damaged file is kept in the temporary folder. */
const only = values.case === undefined ? null : Number(values.case)

/** Cases slower or larger than this are reported; a quiet machine needs a few milliseconds. */
const MAX_CASE_MS = 2000
const MAX_MEMORY_BYTES = 600 * 1024 * 1024
/** Tensors above this are only read at their start. */
const READ_BYTES = 1024 * 1024

/** Mulberry32: small, seeded, and the same everywhere. */
function createRandom(state) {
  return (max) => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 4294967296) * max)
  }
}

const INTERESTING = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xfe, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]

/** One to six small damages; half of them keep the length, so that what comes behind still stands where it did. */
function damage(bytes, random) {
  let result = Buffer.from(bytes)
  for (let step = random(6); step >= 0 && result.length > 0; step--) {
    const at = random(result.length)
    const kind = random(12)
    if (kind < 3) result[at] = random(256)
    else if (kind < 5) result[at] ^= 1 << random(8)
    else if (kind < 8) {
      const width = [1, 2, 4, 8][random(4)]
      const value = BigInt(INTERESTING[random(INTERESTING.length)]) * (random(4) === 0 ? 0x1_0000_0001n : 1n)
      const order = random(4) === 0
      for (let index = 0; index < width && at + index < result.length; index++) {
        result[at + index] = Number((value >> BigInt(8 * (order ? width - 1 - index : index))) & 0xffn)
      }
    } else if (kind === 8) result = result.subarray(0, at)
    else if (kind === 9) result = Buffer.concat([result.subarray(0, at), result.subarray(Math.min(result.length, at + 1 + random(16)))])
    else if (kind === 10) result = Buffer.concat([result.subarray(0, at), Buffer.alloc(1 + random(16), random(256)), result.subarray(at)])
    else {
      const length = Math.min(1 + random(64), result.length - at)
      const from = random(result.length - length + 1)
      result.copyWithin(at, from, from + length)
    }
  }
  return result
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value >>> 0
})

function maskedCrc(bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8)
  crc = (crc ^ 0xffffffff) >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** Checksums would stop every damage at the door, so the blocks of an undamaged index are sealed again. */
function sealIndex(original, damaged) {
  if (damaged.length !== original.length) return
  const varint = (at) => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = original[at++]
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return [value, at]
    }
  }
  let at = original.length - 48
  const handles = []
  for (let index = 0; index < 2; index++) {
    const [offset, next] = varint(at)
    const [size, end] = varint(next)
    handles.push([offset, size])
    at = end
  }
  handles.push([0, Math.min(...handles.map(([offset]) => offset)) - 5])
  for (const [offset, size] of handles) {
    if (size > 0) damaged.writeUInt32LE(maskedCrc(damaged.subarray(offset, offset + size + 1)), offset + size + 1)
  }
}

function filesBelow(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
}

/** What is opened, and which files beside it belong to it. */
function targets() {
  if (positionals.length > 0) return positionals.map((path) => resolve(path))
  if (!existsSync(reference)) throw new Error('There is no reference data; name the files to damage.')
  const names = ['tf2.ckpt.index', 'tf1', 'saved_model', 'keras.h5', 'plain.h5', 'flax_model.msgpack', 'arrays.npz']
  return names.map((name) => join(reference, name))
}

const work = mkdtempSync(join(tmpdir(), 'weightroom-fuzz-'))
await build({
  root,
  configFile: false,
  logLevel: 'error',
  build: {
    ssr: join(root, 'engine/checkpoint/open.ts'),
    outDir: join(work, 'engine'),
    rolldownOptions: { output: { entryFileNames: 'open.mjs' } },
  },
  ssr: { noExternal: true },
})
const { openCheckpoint } = await import(pathToFileURL(join(work, 'engine/open.mjs')).href)

let failures = 0
function report(target, number, what) {
  failures++
  process.stderr.write(`${basename(target)} seed ${seed} case ${number}: ${what}\n`)
}

async function openAndRead(path) {
  const checkpoint = await openCheckpoint(path)
  try {
    let budgetBytes = 64 * READ_BYTES
    for (const { name, sizeBytes } of checkpoint.tensors.values()) {
      const wanted = Math.min(sizeBytes, READ_BYTES)
      const bytes = await checkpoint.readRange({ name, offsetBytes: 0, sizeBytes: wanted })
      if (bytes.length !== wanted) throw new Error(`${name} gave ${bytes.length} of ${wanted} bytes`)
      if ((budgetBytes -= wanted) < 0) return
    }
  } finally {
    checkpoint[Symbol.dispose]()
  }
}

try {
  for (const [targetIndex, target] of targets().entries()) {
    const folder = mkdtempSync(join(work, 'case-'))
    const isFolder = statSync(target).isDirectory()
    const copy = join(folder, basename(target))
    const originals = filesBelow(target).map((file) => ({
      path: isFolder ? join(copy, relative(target, file)) : copy,
      bytes: readFileSync(file),
    }))
    cpSync(target, copy, { recursive: true })
    if (!isFolder) {
      const siblings = readdirSync(resolve(target, '..')).filter(
        (name) => name !== basename(target) && name.startsWith(basename(target).replace(/\.[^.]*$/, '')),
      )
      for (const name of siblings)
        if (statSync(resolve(target, '..', name)).isFile()) copyFileSync(resolve(target, '..', name), join(folder, name))
    }
    const random = createRandom(seed * 7919 + targetIndex)
    const codes = new Map()
    let slowestMs = 0
    for (let number = 0; number < count; number++) {
      const original = originals[random(originals.length)]
      const damaged = damage(original.bytes, random)
      if (original.path.endsWith('.index') && random(8) > 0) sealIndex(original.bytes, damaged)
      if (only !== null && number !== only) continue
      writeFileSync(original.path, damaged)
      if (only !== null) writeFileSync(join(tmpdir(), `weightroom-fuzz-case-${basename(original.path)}`), damaged)
      const start = performance.now()
      try {
        await openAndRead(copy)
        codes.set('opened', (codes.get('opened') ?? 0) + 1)
      } catch (error) {
        const code = error?.name === 'EngineError' ? error.code : null
        if (code === null) report(target, number, error?.stack ?? String(error))
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
      const elapsedMs = performance.now() - start
      slowestMs = Math.max(slowestMs, elapsedMs)
      if (elapsedMs > MAX_CASE_MS) report(target, number, `took ${Math.round(elapsedMs)} ms`)
      const { rss } = process.memoryUsage()
      if (rss > MAX_MEMORY_BYTES) report(target, number, `the process holds ${Math.round(rss / 2 ** 20)} MiB`)
      writeFileSync(original.path, original.bytes)
    }
    const summary = [...codes].sort(([, left], [, right]) => right - left).map(([code, times]) => `${code} ${times}`)
    process.stdout.write(`${basename(target)}: ${count} cases, slowest ${Math.round(slowestMs)} ms; ${summary.join(', ')}\n`)
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1

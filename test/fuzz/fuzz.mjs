// Damages weight files of every kind and opens them: every outcome must be tensors, read in full, or an error of the catalogue, soon and in little memory.
// Usage: node test/fuzz/fuzz.mjs [--count 20000] [--seed 1] [--only gguf,onnx] [--keep]; mutation N of a format is the one with seed N. --keep leaves the file of the last failure.
// Each format runs in a process of its own. It needs the reference checkpoints beside the repository; docs/fuzzing.md holds the results.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { ggufCases } from './gguf.mjs'
import { randomOf, pick } from './random.mjs'
import { filesCase, llama2cCase, npyCase, npzCase, protobufCase, safetensorsCase, shardIndexCase, zipEntries } from './structured.mjs'
import { tarCase, torchCases } from './torch.mjs'

const root = resolve(import.meta.dirname, '../..')
const reference = resolve(root, '../shared/reference/checkpoints')
const fixtures = resolve(root, 'test/fixtures')
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '20000' },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
    built: { type: 'string' },
  },
})
const firstSeed = Number(values.seed)
const count = Number(values.count)

const MAX_CASE_MS = 1000
/** What one file may add to the process. */
const MAX_GROWTH_BYTES = 200 * 1024 * 1024
/** Tensors above this are only read at their start; a file is read up to 64 of them. */
const READ_BYTES = 1024 * 1024
const MAX_FAILURES = 20

const read = (...parts) => readFileSync(join(...parts))
const inReference = (pattern) =>
  readdirSync(reference)
    .filter((name) => pattern.test(name) && !name.includes('.expected.') && statSync(join(reference, name)).isFile())
    .map((name) => join(reference, name))

function filesBelow(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile())
  return Object.fromEntries(names.map((name) => [name, read(folder, name)]))
}

function siblings(pattern) {
  return Object.fromEntries(inReference(pattern).map((path) => [basename(path), readFileSync(path)]))
}

/** A folder of two shards, from one file of the reference library. */
function shardsOf(bytes) {
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))))
  const names = Object.keys(header).filter((name) => name !== '__metadata__')
  const index = JSON.stringify({
    metadata: { total_size: bytes.length },
    weight_map: Object.fromEntries(names.map((name) => [name, 'model-00001-of-00002.safetensors'])),
  })
  const empty = Buffer.from('{}      ')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(empty.length))
  return {
    index,
    shards: { 'model-00001-of-00002.safetensors': bytes, 'model-00002-of-00002.safetensors': Buffer.concat([length, empty]) },
  }
}

/** The cases of every format; each has its originals, what is opened, and a way to damage them. */
const FORMATS = {
  safetensors: () =>
    inReference(/^(?!html).*\.safetensors$/)
      .filter((path) => !/st-(huge|beyond)/.test(path))
      .map((path) => safetensorsCase(basename(path), readFileSync(path))),
  'shard-index': () => [shardIndexCase('shards', shardsOf(read(reference, 'meta.safetensors')))],
  torch: (built) =>
    torchCases(
      [
        ...inReference(/\.(bin|pt|pth)$/),
        ...readdirSync(join(fixtures, 'torch'))
          .filter((name) => /\.(pt|ckpt)$/.test(name))
          .map((name) => join(fixtures, 'torch', name)),
      ],
      built,
    ),
  tar: () => [tarCase('archive-tar.pt', read(fixtures, 'torch/archive-tar.pt'))],
  gguf: (built) => ggufCases({ 'quantized.gguf': read(reference, 'quantized.gguf') }, built),
  onnx: (built) => [
    protobufCase('inside.onnx', { file: 'inside.onnx', bytes: Buffer.from(built.onnxModel('inside')) }),
    protobufCase('beside.onnx', {
      file: 'beside.onnx',
      bytes: Buffer.from(built.onnxModel('beside')),
      beside: { 'weights.bin': Buffer.alloc(64, 1) },
    }),
  ],
  npz: (built) => {
    const bytes = read(reference, 'arrays.npz')
    const { entries } = zipEntries(bytes)
    return [npzCase('arrays.npz', { bytes, entries, zipFile: built.zipFile }), npyCase('array.npy', entries[0].bytes)]
  },
  'tensorflow-bundle': () => [
    filesCase('tf2', { open: 'tf2.ckpt.index', originals: siblings(/^tf2\.ckpt\./) }),
    filesCase('tf1', { open: '.', originals: filesBelow(join(reference, 'tf1')) }),
  ],
  'saved-model': () => {
    const originals = filesBelow(join(reference, 'saved_model'))
    const { 'saved_model.pb': graph, ...beside } = originals
    const whole = filesCase('saved_model', { open: '.', originals })
    return graph ? [whole, { ...protobufCase('saved_model.pb', { file: 'saved_model.pb', bytes: graph, beside }), open: '.' }] : [whole]
  },
  hdf5: () =>
    [join(reference, 'keras.h5'), join(reference, 'plain.h5'), join(fixtures, 'hdf5/classic.h5'), join(fixtures, 'hdf5/latest.h5')].map(
      (path) => filesCase(basename(path), { open: basename(path), originals: { [basename(path)]: readFileSync(path) } }),
    ),
  llama2c: () => ['v0.bin', 'v0-untied.bin', 'v1.bin', 'v2.bin'].map((name) => llama2cCase(name, read(fixtures, `llama2c/${name}`))),
  flax: () => [
    filesCase('flax', { open: 'flax_model.msgpack', originals: { 'flax_model.msgpack': read(reference, 'flax_model.msgpack') } }),
  ],
}

async function buildReaders(outDir) {
  const { build } = await import('vite')
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: { ssr: join(root, 'test/fuzz/readers.ts'), outDir, rolldownOptions: { output: { entryFileNames: 'readers.mjs' } } },
    ssr: { noExternal: true },
  })
  return join(outDir, 'readers.mjs')
}

async function openAndRead(built, path) {
  const checkpoint = await built.openCheckpoint(path)
  try {
    let budgetBytes = 64 * READ_BYTES
    for (const { name, sizeBytes } of checkpoint.tensors.values()) {
      const wanted = Math.min(sizeBytes, READ_BYTES)
      const bytes = await checkpoint.readRange({ name, offsetBytes: 0, sizeBytes: wanted })
      if (bytes.length !== wanted) throw new Error(`${name} gave ${bytes.length} of ${wanted} bytes`)
      const half = wanted >> 1
      const rest = await checkpoint.readRange({ name, offsetBytes: half, sizeBytes: wanted - half })
      if (Buffer.compare(rest, bytes.subarray(half)) !== 0) throw new Error(`${name} differs when it is read in parts`)
      if ((budgetBytes -= wanted) < 0) return
    }
    if (checkpoint.format === 'gguf') await built.readAllArrays(path)
  } finally {
    checkpoint[Symbol.dispose]()
  }
}

/** Runs one format here. */
async function fuzzFormat(format) {
  const built = await import(pathToFileURL(values.built).href)
  const cases = FORMATS[format](built)
  const work = mkdtempSync(join(tmpdir(), 'weightroom-fuzz-'))
  const folders = cases.map(({ originals }, index) => {
    const folder = join(work, String(index))
    for (const [file, bytes] of Object.entries(originals)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), bytes)
    }
    return folder
  })
  const codes = new Map()
  const failures = []
  let slowestMs = 0
  let mostGrowthBytes = 0
  for (let seed = firstSeed; seed < firstSeed + count && failures.length < MAX_FAILURES; seed++) {
    const random = randomOf(seed)
    const chosen = pick(random, cases)
    const folder = folders[cases.indexOf(chosen)]
    const damaged = chosen.mutate(random)
    for (const [file, bytes] of Object.entries(damaged)) writeFileSync(join(folder, file), bytes)
    const before = process.memoryUsage().rss
    const start = performance.now()
    let code = 'opened'
    let problem = null
    try {
      await openAndRead(built, join(folder, chosen.open))
    } catch (error) {
      code = error?.name === 'EngineError' ? error.code : 'crash'
      if (code === 'crash') problem = error?.stack ?? String(error)
    }
    const elapsedMs = performance.now() - start
    const growthBytes = process.memoryUsage().rss - before
    slowestMs = Math.max(slowestMs, elapsedMs)
    mostGrowthBytes = Math.max(mostGrowthBytes, growthBytes)
    if (elapsedMs > MAX_CASE_MS) problem ??= `${Math.round(elapsedMs)} ms, ${code}`
    if (growthBytes > MAX_GROWTH_BYTES) problem ??= `${Math.round(growthBytes / 2 ** 20)} MiB more, ${code}`
    codes.set(code, (codes.get(code) ?? 0) + 1)
    if (problem !== null) {
      failures.push(`seed ${seed} (${chosen.name}): ${problem}`)
      if (values.keep)
        for (const [file, bytes] of Object.entries(damaged))
          writeFileSync(join(tmpdir(), `weightroom-fuzz-${seed}-${basename(file)}`), bytes)
    }
    for (const file of Object.keys(damaged)) writeFileSync(join(folder, file), chosen.originals[file])
  }
  rmSync(work, { recursive: true, force: true })
  const summary = [...codes].sort(([, left], [, right]) => right - left).map(([code, times]) => `${code} ${times}`)
  const peak = `peak of the process ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`
  process.stdout.write(
    `${format}: ${cases.length} files, seeds ${firstSeed} to ${firstSeed + count - 1}, slowest ${Math.round(slowestMs)} ms, most added by one file ${Math.round(mostGrowthBytes / 2 ** 20)} MiB, ${peak}\n  ${summary.join(', ')}\n`,
  )
  for (const failure of failures) process.stdout.write(`  FAILED ${failure}\n`)
  return failures.length === 0
}

if (!existsSync(reference)) throw new Error(`The reference files are not at ${reference}.`)
if (values.built) process.exitCode = (await fuzzFormat(values.only)) ? 0 : 1
else {
  const outDir = mkdtempSync(join(root, 'node_modules/.cache/weightroom-fuzz-'))
  try {
    const readers = await buildReaders(outDir)
    for (const format of values.only?.split(',') ?? Object.keys(FORMATS)) {
      const args = [
        relative(process.cwd(), import.meta.filename),
        '--built',
        readers,
        '--only',
        format,
        '--count',
        values.count,
        '--seed',
        values.seed,
      ]
      const { status } = spawnSync(process.execPath, [...args, ...(values.keep ? ['--keep'] : [])], { stdio: 'inherit' })
      if (status !== 0) process.exitCode = 1
    }
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}

// `npm run bench -- conversion [--size 2GB --runs 3 --folder F --json]`: a made checkpoint goes safetensors -> .bin -> safetensors through the built command line.
// The peer is a plain copy of the same file to the same folder in the same run: one that waits for the disk as conversions do, and one that does not.
import { spawnSync } from 'node:child_process'
import { createHash, randomFillSync } from 'node:crypto'
import { closeSync, copyFileSync, fdatasyncSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const MIB = 2 ** 20
const BLOCK_BYTES = 8 * MIB
const UNITS = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB, GIB: 2 ** 30 }

const cli = resolve(import.meta.dirname, '../../out/main/cli.mjs')
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '2GB' },
    runs: { type: 'string', default: '3' },
    folder: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const [, digits = '', unit = ''] = /^(\d+)([A-Za-z]+)$/.exec(values.size) ?? []
const tensors = Math.round((Number(digits) * (UNITS[unit.toUpperCase()] ?? NaN)) / (8 * BLOCK_BYTES))
if (!(tensors >= 1) || !(runs >= 1)) throw new Error('--size takes at least 64MiB, such as 2GB; --runs at least 1')

const median = (numbers) => {
  const sorted = [...numbers].sort((left, right) => left - right)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

/** Matrices of 64 MiB in BF16, as a layer of a large model has them; returns the size of the file. */
function makeCheckpoint(path) {
  const tensorBytes = 8 * BLOCK_BYTES
  const entry = (index) => ({
    dtype: 'BF16',
    shape: [8192, tensorBytes / 2 / 8192],
    data_offsets: [index * tensorBytes, (index + 1) * tensorBytes],
  })
  const names = Array.from({ length: tensors }, (_, index) => `model.layers.${String(index).padStart(4, '0')}.mlp.down_proj.weight`)
  const json = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(names.map((name, index) => [name, entry(index)])) })
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const file = openSync(path, 'w')
  writeSync(file, Buffer.concat([length, header]))
  const block = Buffer.alloc(BLOCK_BYTES)
  for (let index = 0; index < tensors * 8; index++) writeSync(file, randomFillSync(block))
  fdatasyncSync(file)
  closeSync(file)
  return 8 + header.length + tensors * tensorBytes
}

function sha256(path) {
  const hash = createHash('sha256')
  const file = openSync(path, 'r')
  const block = Buffer.alloc(BLOCK_BYTES)
  for (let count = readSync(file, block); count > 0; count = readSync(file, block)) hash.update(block.subarray(0, count))
  closeSync(file)
  return hash.digest('hex')
}

/** A fresh process; its seconds from start to exit and its largest resident size. */
function run(args) {
  const report = 'data:text/javascript,process.on("exit",()=>process.stderr.write(`\\nmaxRSS ${process.resourceUsage().maxRSS}`))'
  const startMs = performance.now()
  const { status, stderr } = spawnSync(process.execPath, ['--import', report, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const seconds = (performance.now() - startMs) / 1000
  if (status !== 0) throw new Error(`${args.join(' ')} failed: ${stderr}`)
  return { seconds, peakBytes: Number(/maxRSS (\d+)/.exec(stderr)?.[1]) * 1024 }
}

function copy(from, to, sync) {
  const startMs = performance.now()
  copyFileSync(from, to)
  if (sync) {
    const file = openSync(to, 'r+')
    fdatasyncSync(file)
    closeSync(file)
  }
  return { seconds: (performance.now() - startMs) / 1000, peakBytes: 0 }
}

const folder = mkdtempSync(join(values.folder, 'weightroom-bench-'))
process.once('SIGINT', () => {
  rmSync(folder, { recursive: true, force: true })
  process.exit(130)
})
try {
  const [source, torch, back, copied] = ['source.safetensors', 'torch.bin', 'back.safetensors', 'copy'].map((name) => join(folder, name))
  const sizeBytes = makeCheckpoint(source)
  const emptyProcessBytes = run(['-e', '']).peakBytes
  const steps = {}
  /** What the step before left for the disk to do must not be counted for this one. */
  const step = (name, work) => {
    spawnSync('sync')
    steps[name] = [...(steps[name] ?? []), work()]
  }
  const convert = (from, to, format, ...more) => {
    rmSync(to, { force: true })
    return run([cli, 'convert', from, '--to', format, '--out', to, ...more])
  }
  for (let index = 0; index < runs; index++) {
    step('toTorch', () => convert(source, torch, 'torch'))
    step('toSafetensors', () => convert(torch, back, 'safetensors'))
    rmSync(copied, { force: true })
    step('copy', () => copy(source, copied, true))
    step('toTorchUnsynced', () => convert(source, torch, 'torch', '--no-sync'))
    step('toSafetensorsUnsynced', () => convert(torch, back, 'safetensors', '--no-sync'))
    rmSync(copied, { force: true })
    step('copyUnsynced', () => copy(source, copied, false))
  }
  const identical = sha256(source) === sha256(back)
  const seconds = Object.fromEntries(Object.entries(steps).map(([name, list]) => [name, median(list.map((each) => each.seconds))]))
  const ratio = {
    toTorch: seconds.copy / seconds.toTorch,
    toSafetensors: seconds.copy / seconds.toSafetensors,
    toTorchUnsynced: seconds.copyUnsynced / seconds.toTorchUnsynced,
    toSafetensorsUnsynced: seconds.copyUnsynced / seconds.toSafetensorsUnsynced,
  }
  const peakBytes = Math.max(...Object.values(steps).flatMap((list) => list.map((each) => each.peakBytes)))
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    processors: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    platform: process.platform,
  }
  const result = { machine, sizeBytes, tensors, runs, seconds, ratio, peakBytes, emptyProcessBytes, identical }
  if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else {
    const rows = [
      ['safetensors -> .bin, synced', 'toTorch'],
      ['.bin -> safetensors, synced', 'toSafetensors'],
      ['copy, synced', 'copy'],
      ['safetensors -> .bin, --no-sync', 'toTorchUnsynced'],
      ['.bin -> safetensors, --no-sync', 'toSafetensorsUnsynced'],
      ['copy, not synced', 'copyUnsynced'],
    ]
    process.stdout.write(
      `${(sizeBytes / 1e9).toFixed(2)} GB in ${tensors} tensors, ${machine.cpu}, ${machine.processors} processors, medians of ${runs}\n`,
    )
    for (const [name, key] of rows) {
      const share = ratio[key] === undefined ? '' : `${(ratio[key] * 100).toFixed(0).padStart(5)} % of the copy's speed`
      process.stdout.write(
        `${name.padEnd(34)}${seconds[key].toFixed(2).padStart(7)} s ${(sizeBytes / 1e6 / seconds[key]).toFixed(0).padStart(6)} MB/s${share}\n`,
      )
    }
    process.stdout.write(
      `peak memory ${(peakBytes / 1e6).toFixed(0)} MB, of an empty process ${(emptyProcessBytes / 1e6).toFixed(0)} MB; the file came back ${identical ? 'identical' : 'DIFFERENT'}\n`,
    )
  }
  if (!identical) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

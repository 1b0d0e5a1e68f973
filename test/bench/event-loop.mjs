// `npm run bench -- event-loop [--size 1GB --folder F --json]`: how long the app's own work holds the main process's event loop
// while a checkpoint is converted and as much is uploaded beside it, as the window asks for both. Needs a finished build.
import { spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import WebSocket from 'ws'

const CHUNK_BYTES = 2 ** 20
const TENSOR_BYTES = 64 * CHUNK_BYTES
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '1GB' },
    folder: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
  },
})
const [, digits = '', unit = ''] = /^(\d+)(MB|GB)$/.exec(values.size) ?? []
const tensors = Math.round((Number(digits) * { MB: 1e6, GB: 1e9 }[unit]) / TENSOR_BYTES)
if (!(tensors >= 1)) throw new Error('--size takes at least 68MB, such as 1GB')

const work = mkdtempSync(join(values.folder, 'weightroom-loop-'))
const report = join(work, 'stalls.json')

function makeCheckpoint(path) {
  const entry = (index) => ({
    dtype: 'BF16',
    shape: [8192, TENSOR_BYTES / 2 / 8192],
    data_offsets: [index * TENSOR_BYTES, (index + 1) * TENSOR_BYTES],
  })
  const json = JSON.stringify(Object.fromEntries(Array.from({ length: tensors }, (_, index) => [`layers.${index}.weight`, entry(index)])))
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const file = openSync(path, 'w')
  writeSync(file, Buffer.concat([length, header]))
  const block = randomFillSync(Buffer.alloc(8 * CHUNK_BYTES))
  for (let index = 0; index < (tensors * TENSOR_BYTES) / block.length; index++) writeSync(file, block)
  closeSync(file)
}

/** The window's own protocol over a socket that has the session's cookie. */
async function connect(address) {
  const { origin } = new URL(address)
  const response = await fetch(address, { redirect: 'manual' })
  const [cookie] = (response.headers.get('set-cookie') ?? '').split(';')
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/socket`, { origin, headers: { cookie } })
  await new Promise((done, fail) => socket.once('open', done).once('error', fail))
  const waiting = new Map()
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data))
    const { settle, event } = waiting.get(frame.id) ?? {}
    if (frame.kind === 'event') event?.(frame.event)
    else settle?.(frame.result)
  })
  let last = 0
  const ask = (kind, name, input, event) =>
    new Promise((done, fail) => {
      const id = ++last
      const settle = (result) => (result.ok ? done(result.value) : fail(new Error(`${name}: ${result.error.message}`)))
      waiting.set(id, { settle, event })
      socket.send(JSON.stringify({ kind, id, name, input }))
    })
  return {
    call: (name, input) => ask('call', name, input),
    watch: (name, event) => void ask('open', name, {}, event).catch(() => undefined),
  }
}

async function upload({ call }) {
  const sizeBytes = tensors * TENSOR_BYTES
  const { uploadId } = await call('uploads.begin', { files: [{ name: 'weights.bin', sizeBytes }] })
  const data = randomFillSync(Buffer.alloc(CHUNK_BYTES)).toString('base64')
  for (let offsetBytes = 0; offsetBytes < sizeBytes; offsetBytes += CHUNK_BYTES)
    await call('uploads.write', { uploadId, file: 0, offsetBytes, data })
  await call('uploads.finish', { uploadId })
  await call('uploads.discard', { uploadId })
}

async function convert({ call, watch }, source) {
  const ended = new Promise((done, fail) =>
    watch('conversions.watch', ({ job }) => {
      if (job?.state === 'done') done()
      else if (job?.state === 'failed') fail(new Error(job.error.message))
    }),
  )
  await call('conversions.start', {
    source,
    to: 'torch',
    out: join(work, 'result'),
    dtype: null,
    maxShardBytes: null,
    stripPrefix: null,
    family: null,
    settings: {},
    quantize: null,
    include: null,
    force: false,
  })
  await ended
}

try {
  const source = join(work, 'model.safetensors')
  makeCheckpoint(source)
  const app = spawn(process.execPath, [resolve(import.meta.dirname, '../../out/main/cli.mjs'), 'serve', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, WEIGHTROOM_DATA: join(work, 'data'), HF_HUB_CACHE: join(work, 'none'), WEIGHTROOM_REPORT_STALLS: report },
  })
  const exited = new Promise((done) => app.once('exit', done))
  const address = await new Promise((done) =>
    app.stdout.on('data', (chunk) => /http:\S+/.exec(String(chunk)) && done(/http:\S+/.exec(String(chunk))[0])),
  )
  const host = await connect(address)
  const startMs = performance.now()
  await Promise.all([convert(host, source), upload(host)])
  const elapsedMs = performance.now() - startMs
  app.kill('SIGTERM')
  await exited
  const { maxGapMs, maxHeldMs, gaps } = JSON.parse(readFileSync(report, 'utf8'))
  const result = { bytes: tensors * TENSOR_BYTES, elapsedMs, maxHeldMs, maxGapMs, gaps }
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else
    process.stdout.write(
      `${(result.bytes / 1e9).toFixed(2)} GB converted and uploaded in ${(elapsedMs / 1000).toFixed(1)} s; the main process's event loop was held ${maxHeldMs.toFixed(1)} ms at most (late by ${maxGapMs.toFixed(1)} ms at most)\n`,
    )
} finally {
  rmSync(work, { recursive: true, force: true })
}

// Plans, refusals, cancels and interrupted runs: nothing has its final name before everything is proven, and nothing is left behind.
import { linkSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { convert } from '../../../engine/convert/convert'
import { planConversion } from '../../../engine/convert/plan'
import type { ConversionEvent } from '../../../engine/convert/types'
import { engineCode } from '../../support/engine-code'
import { safetensorsFile } from '../../support/safetensors-writer'
import { openSmallDisk } from '../../support/small-disk'
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder'
import { noiseTensor } from './some-checkpoint'

const tensors = Array.from({ length: 6 }, (_, index) => noiseTensor(`w${index}`, 'F32', [10 + index, 16]))

function model(folder: TemporaryFolder): string {
  folder.write('model/model.safetensors', safetensorsFile(tensors, { format: 'pt' }))
  folder.write('model/config.json', '{"model_type": "own"}')
  folder.write('model/generation_config.json', '{}')
  folder.write('model/tokenizer.model', 'pieces')
  folder.write('model/modeling_own.py', 'raise SystemExit("this is never run")\n')
  folder.write('model/LICENSE', 'free')
  folder.write('model/notes.txt', 'private')
  folder.write('model/.env', 'private')
  return join(folder.path, 'model')
}

/** What every file below a folder holds. */
function snapshot(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => !statSync(join(folder, name)).isDirectory())
  return Object.fromEntries(
    files.sort().map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  )
}

describe('a plan', () => {
  it('says what will be written, copied, cast and dropped, and writes nothing', async () => {
    using folder = temporaryFolder()
    const source = folder.write(
      'a.safetensors',
      safetensorsFile([...tensors, noiseTensor('ids', 'I64', [3])], { author: 'me', format: 'pt' }),
    )
    const before = snapshot(folder.path)
    const plan = await planConversion({ source, to: 'torch', out: join(folder.path, 'out'), dtype: 'BF16', maxShardBytes: 1000 })
    expect(plan).toMatchObject({
      kind: 'folder',
      dtypeChanges: [{ from: 'F32', to: 'BF16', tensors: 6, exact: false, reason: 'asked' }],
      dropped: [{ name: 'author', why: 'metadata' }],
      companions: [],
    })
    expect(plan.outputs.map(({ tensors: count }) => count).reduce((sum, count) => sum + count)).toBe(7)
    expect(plan.neededBytes).toBe(
      plan.outputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) + indexBytes(plan.neededBytes, plan.outputs),
    )
    expect(plan.freeBytes).toBeGreaterThan(0)
    expect(snapshot(folder.path)).toEqual(before)
  })

  it('widens what a format cannot hold, exactly, and refuses what has no wider form', async () => {
    using folder = temporaryFolder()
    const wide = folder.write('a.safetensors', safetensorsFile([noiseTensor('w', 'BF16', [4]), noiseTensor('v', 'F32', [4])]))
    const plan = await planConversion({ source: wide, to: 'npz', out: join(folder.path, 'o.npz') })
    expect(plan.dtypeChanges).toEqual([{ from: 'BF16', to: 'F32', tensors: 1, exact: true, reason: 'format' }])
    const packed = folder.write('b.safetensors', safetensorsFile([noiseTensor('w', 'F6_E2M3', [4])]))
    const code = await engineCode(() => planConversion({ source: packed, to: 'torch', out: join(folder.path, 'o.bin') }))
    expect(code).toBe('convert/dtype-not-in-format')
    const cast = await engineCode(() => planConversion({ source: wide, to: 'npz', out: join(folder.path, 'o.npz'), dtype: 'BF16' }))
    expect(cast).toBe('convert/dtype-not-in-format')
  })

  it('refuses a checkpoint without tensors', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile([]))
    expect(await engineCode(() => planConversion({ source, to: 'torch', out: join(folder.path, 'o.bin') }))).toBe('convert/no-tensors')
  })

  it('refuses to put several shards into one file', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile(tensors))
    const code = await engineCode(() => planConversion({ source, to: 'torch', out: join(folder.path, 'o.bin'), maxShardBytes: 1000 }))
    expect(code).toBe('convert/shards-need-folder')
  })
})

/** The rest of what a plan needs, which is its index: between a few and a few thousand bytes. */
function indexBytes(neededBytes: number, outputs: readonly { readonly sizeBytes: number }[]): number {
  const rest = neededBytes - outputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  expect(rest).toBeGreaterThan(100)
  expect(rest).toBeLessThan(2000)
  return rest
}

describe('a conversion', () => {
  it('brings configuration, tokenizer, licence and source code along untouched, and nothing else', async () => {
    using folder = temporaryFolder()
    const source = model(folder)
    const out = join(folder.path, 'out')
    const report = await convert({ source, to: 'torch', out })
    const companions = ['LICENSE', 'config.json', 'generation_config.json', 'modeling_own.py', 'tokenizer.model']
    expect(report.companions).toEqual(companions)
    expect(readdirSync(out).sort()).toEqual([...companions, 'pytorch_model.bin'].sort())
    const before = snapshot(source)
    const after = snapshot(out)
    for (const file of companions) expect(after[file]).toBe(before[file])
    expect(readdirSync(folder.path).sort()).toEqual(['model', 'out'])
  })

  it('takes another config.json when it is given one', async () => {
    using folder = temporaryFolder()
    const source = model(folder)
    const config = folder.write('mine.json', '{"model_type": "llama"}')
    const out = join(folder.path, 'out')
    await convert({ source, to: 'safetensors', out, config })
    expect(readFileSync(join(out, 'config.json'), 'utf8')).toBe('{"model_type": "llama"}')
    const broken = folder.write('broken.json', '{')
    expect(await engineCode(() => convert({ source, to: 'safetensors', out: join(folder.path, 'b'), config: broken }))).toBe(
      'bytes/invalid-json',
    )
  })

  it('reports the sha256 of every tensor as it lies in the result, and the loss', async () => {
    using folder = temporaryFolder()
    const values = Float32Array.of(1, 1 + 2 ** -9, 3)
    const bytes = new Uint8Array(values.buffer)
    const source = folder.write('a.safetensors', safetensorsFile([{ name: 'w', dtype: 'F32', shape: [3], bytes }]))
    const out = join(folder.path, 'o.safetensors')
    const report = await convert({ source, to: 'safetensors', out, dtype: 'BF16' })
    using written = await openCheckpoint(out)
    const sha256 = createHash('sha256')
      .update(await written.read('w'))
      .digest('hex')
    expect(report.tensors).toMatchObject([
      { name: 'w', dtype: 'BF16', sourceDtype: 'F32', sha256, maxAbsError: 2 ** -9, file: 'o.safetensors' },
    ])
    expect(report.totals).toMatchObject({ tensors: 1, parameters: 3, identicalTensors: 0, maxAbsError: 2 ** -9 })
  })

  it('casts tensors longer than a chunk as a whole would be cast', async () => {
    using folder = temporaryFolder()
    const values = Float32Array.from({ length: 2_500_000 }, (_, index) => Math.sin(index) * index)
    const bytes = new Uint8Array(values.buffer)
    const source = folder.write('a.safetensors', safetensorsFile([{ name: 'w', dtype: 'F32', shape: [values.length], bytes }]))
    const out = join(folder.path, 'o.bin')
    const events: ConversionEvent[] = []
    await convert({ source, to: 'torch', out, dtype: 'F64', onEvent: (event) => events.push(event) })
    using written = await openCheckpoint(out)
    const found = new Float64Array(Uint8Array.from(await written.read('w')).buffer)
    expect(Buffer.compare(Buffer.from(found.buffer), Buffer.from(Float64Array.from(values).buffer))).toBe(0)
    const progress = events.filter((event) => event.type === 'progress')
    expect(progress.length).toBe(2)
    expect(progress.at(-1)).toMatchObject({ doneBytes: 20_000_000, totalBytes: 20_000_000 })
  })

  it('removes the prefixes of wrappers, and only those in front of every name', async () => {
    using folder = temporaryFolder()
    const wrapped = ['module._orig_mod.a', 'module._orig_mod.module.b'].map((name) => noiseTensor(name, 'F32', [2]))
    const source = folder.write('a.safetensors', safetensorsFile(wrapped))
    const plan = await planConversion({ source, to: 'pth', out: join(folder.path, 'o'), stripPrefix: 'wrappers' })
    expect(plan.tensors.map(({ name }) => name)).toEqual(['a', 'module.b'])
  })

  it('removes a prefix by name, and refuses one that nothing has or that makes two names the same', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile(['model.a', 'a', 'model.b'].map((name) => noiseTensor(name, 'F32', [2]))))
    const strip = (prefix: string) => planConversion({ source, to: 'pth', out: join(folder.path, 'o'), stripPrefix: { prefix } })
    expect(await engineCode(() => strip('model.'))).toBe('convert/name-collision')
    expect(await engineCode(() => strip('encoder.'))).toBe('convert/prefix-not-found')
    expect((await strip('mod')).tensors.map(({ name }) => name)).toEqual(['el.a', 'a', 'el.b'])
  })
})

describe('the place of the result', () => {
  it('is never the input, not through a link either, not even when asked to replace', async () => {
    using folder = temporaryFolder()
    const source = model(folder)
    const weights = join(source, 'model.safetensors')
    const before = snapshot(folder.path)
    symlinkSync(source, join(folder.path, 'link'))
    linkSync(weights, join(folder.path, 'hard.safetensors'))
    symlinkSync(weights, join(folder.path, 'soft.safetensors'))
    for (const out of [source, weights, 'link', 'hard.safetensors', 'soft.safetensors', 'link/model.safetensors', 'model/../model'])
      expect([
        out,
        await engineCode(() =>
          convert({
            source,
            to: 'safetensors',
            out: join(folder.path, out).replace(`${folder.path}${folder.path}`, folder.path),
            force: true,
          }),
        ),
      ]).toEqual([out, 'convert/output-is-input'])
    expect(snapshot(source)).toEqual(Object.fromEntries(Object.entries(before).map(([name, hash]) => [name.replace('model/', ''), hash])))
  })

  it('is not the folder of the same shards under other names', async () => {
    using folder = temporaryFolder()
    const source = model(folder)
    const sharded = join(folder.path, 'sharded')
    await convert({ source, to: 'safetensors', out: sharded, maxShardBytes: 1500 })
    const before = snapshot(sharded)
    const code = await engineCode(() => convert({ source: sharded, to: 'safetensors', out: sharded, maxShardBytes: 3000, force: true }))
    expect(code).toBe('convert/output-is-input')
    expect(snapshot(sharded)).toEqual(before)
  })

  it('may be beside the source, whose other files stay as they are', async () => {
    using folder = temporaryFolder()
    const source = model(folder)
    const before = snapshot(source)
    const report = await convert({ source, to: 'torch', out: source })
    expect(report.companions).toEqual([])
    const { 'pytorch_model.bin': added, ...rest } = snapshot(source)
    expect(added).toBeDefined()
    expect(rest).toEqual(before)
  })

  it('keeps an earlier result unless asked to replace it, and then leaves no shard of it', async () => {
    using folder = temporaryFolder()
    const source = model(folder)
    const out = join(folder.path, 'out')
    await convert({ source, to: 'safetensors', out, maxShardBytes: 1500 })
    writeFileSync(join(out, 'mine.txt'), 'kept')
    const before = snapshot(out)
    expect(await engineCode(() => convert({ source, to: 'safetensors', out }))).toBe('convert/output-exists')
    expect(snapshot(out)).toEqual(before)
    await convert({ source, to: 'safetensors', out, force: true })
    expect(readdirSync(out).filter((name) => name.includes('safetensors'))).toEqual(['model.safetensors'])
    expect(readFileSync(join(out, 'mine.txt'), 'utf8')).toBe('kept')
  })

  it('is not a file where a folder is needed', async () => {
    using folder = temporaryFolder()
    const source = model(folder)
    const out = folder.write('out', 'something')
    expect(await engineCode(() => convert({ source, to: 'torch', out, force: true }))).toBe('convert/output-exists')
    expect(readFileSync(out, 'utf8')).toBe('something')
  })
})

describe('a conversion that does not end well', () => {
  it('leaves nothing behind when it is cancelled, not even the folders it made', async () => {
    using folder = temporaryFolder()
    const source = model(folder)
    const before = snapshot(folder.path)
    const controller = new AbortController()
    const code = await engineCode(() =>
      convert({
        source,
        to: 'safetensors',
        out: join(folder.path, 'new', 'deep', 'out'),
        maxShardBytes: 1500,
        signal: controller.signal,
        onEvent: ({ type }) => type === 'file-verified' && controller.abort(),
      }),
    )
    expect(code).toBe('runtime/aborted')
    expect(snapshot(folder.path)).toEqual(before)
    expect(readdirSync(folder.path)).toEqual(['model'])
  })

  it('leaves nothing behind when the source is broken', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile(tensors))
    const out = join(folder.path, 'out')
    const code = await engineCode(() =>
      convert({ source, to: 'torch', out, onEvent: ({ type }) => type === 'plan' && truncateSync(source, statSync(source).size - 8) }),
    )
    expect(code).toMatch(/^checkpoint\/file-changed|bytes\/short-read$/)
    expect(readdirSync(folder.path)).toEqual(['a.safetensors'])
  })

  it('keeps nothing when the source was written to meanwhile', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile(tensors))
    const code = await engineCode(() =>
      convert({
        source,
        to: 'torch',
        out: join(folder.path, 'out'),
        onEvent: ({ type }) => type === 'file-verified' && writeFileSync(source, safetensorsFile(tensors, { later: 'yes' })),
      }),
    )
    expect(code).toBe('convert/source-changed')
    expect(readdirSync(folder.path)).toEqual(['a.safetensors'])
  })

  it('finds out when a written file is not what was written', async () => {
    using folder = temporaryFolder()
    const source = folder.write('a.safetensors', safetensorsFile([noiseTensor('w', 'F32', [5_000_000])]))
    const part = join(folder.path, '.out.weightroom-partial', 'files', 'model.safetensors.part')
    const code = await engineCode(() =>
      convert({
        source,
        to: 'safetensors',
        out: join(folder.path, 'out'),
        // Between the first chunk and the end of the file.
        onEvent: ({ type }) => type === 'progress' && truncateSync(part, 100),
      }),
    )
    expect(code).toBe('convert/verification-failed')
    expect(readdirSync(folder.path)).toEqual(['a.safetensors'])
  })

  it('refuses a second conversion to the same place while one is running', async () => {
    using folder = temporaryFolder()
    const source = model(folder)
    const out = join(folder.path, 'out')
    const others: Promise<string>[] = []
    await convert({
      source,
      to: 'safetensors',
      out,
      onEvent: ({ type }) => {
        if (type === 'file-verified') others.push(engineCode(() => convert({ source, to: 'safetensors', out })))
      },
    })
    expect(others).toHaveLength(1)
    for (const code of await Promise.all(others)) expect(['convert/already-running', 'convert/output-exists']).toContain(code)
    expect((await planConversion({ source: out, to: 'torch', out: join(folder.path, 'p') })).tensors).toHaveLength(6)
  })
})

const probe = openSmallDisk(1024 * 1024)
probe?.[Symbol.dispose]()

describe.skipIf(probe === null)(probe === null ? 'skipped: a small disk cannot be mounted here' : 'a full disk', () => {
  it('is noticed before anything is written', async () => {
    using folder = temporaryFolder()
    using disk = openSmallDisk(1024 * 1024)
    if (disk === null) throw new Error('the disk could not be mounted again')
    const source = folder.write('a.safetensors', safetensorsFile([noiseTensor('w', 'F32', [500_000])]))
    expect(await engineCode(() => convert({ source, to: 'safetensors', out: join(disk.folder, 'out') }))).toBe('convert/disk-full')
    expect(readdirSync(disk.folder)).toEqual([])
  })

  it('that fills up meanwhile is said to be full, and what was written goes away', async () => {
    using folder = temporaryFolder()
    using disk = openSmallDisk(1024 * 1024)
    if (disk === null) throw new Error('the disk could not be mounted again')
    const source = folder.write('a.safetensors', safetensorsFile([noiseTensor('w', 'F32', [100_000])]))
    const code = await engineCode(() =>
      convert({ source, to: 'safetensors', out: join(disk.folder, 'out'), onEvent: ({ type }) => type === 'plan' && disk.fill() }),
    )
    expect(code).toBe('convert/disk-full')
    expect(readdirSync(disk.folder)).toEqual(['filler'])
  })
})

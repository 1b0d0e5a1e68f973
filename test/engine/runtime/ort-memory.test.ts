// What a session adds to the process's memory: mapped weights stay mapped, and 16-bit weights stay 16 bits wide, where the options say so.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { openOrt } from '../../../engine/runtime/ort'
import type { OrtSessionOptions } from '../../../engine/runtime/ort-types'
import { pseudoRandom } from '../../support/tensor-values'
import { type TinyNode, tinyOnnx } from '../../support/tiny-onnx'

const size = 3072
const elements = size * size

async function anonymousBytes(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8')
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

/** Anonymous memory that a session of y = x·w (x·Cast(w) for 16-bit weights) adds per weight element. */
async function anonymousBytesPerWeight(options: {
  readonly kind: 'c-api' | 'node-binding'
  readonly type: 'F32' | 'F16' | 'BF16'
  readonly session: Pick<OrtSessionOptions, 'prepacking' | 'constantFolding'>
}): Promise<number> {
  const { kind, type } = options
  const folder = await mkdtemp(join(tmpdir(), 'weightroom-ort-'))
  try {
    const numbers = pseudoRandom({ count: elements, seed: 1 })
    const bytes =
      type === 'F32' ? new Uint8Array(numbers.buffer) : new Uint8Array(numbers.buffer, 0, elements * 2).map((byte) => byte & 0x3f)
    await writeFile(join(folder, 'weights'), bytes)
    const external = { location: 'weights', offsetBytes: 0, sizeBytes: bytes.byteLength }
    const cast: readonly TinyNode[] = type === 'F32' ? [] : [{ op: 'Cast', inputs: ['w'], outputs: ['wide'], attributes: { to: 1 } }]
    const model = tinyOnnx({
      inputs: [{ name: 'x', type: 'F32', shape: ['n', size] }],
      outputs: [{ name: 'y', type: 'F32', shape: ['n', size] }],
      nodes: [...cast, { op: 'MatMul', inputs: ['x', type === 'F32' ? 'w' : 'wide'], outputs: ['y'] }],
      initializers: [{ name: 'w', type, shape: [size, size], external }],
    })
    const ort = await openOrt({ kind })
    const before = await anonymousBytes()
    using _ = await ort.createSession({ model, externalDataFolder: folder, intraOpNumThreads: 1, ...options.session })
    return ((await anonymousBytes()) - before) / elements
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe.runIf(process.platform === 'linux').each(['c-api', 'node-binding'] as const)('memory of a session, %s', (kind) => {
  it('leaves F32 weights mapped without prepacking, and copies them with it', async () => {
    const type = 'F32'
    expect(await anonymousBytesPerWeight({ kind, type, session: { prepacking: false, constantFolding: true } })).toBeLessThan(1)
    expect(await anonymousBytesPerWeight({ kind, type, session: { prepacking: true, constantFolding: true } })).toBeGreaterThan(3)
  })

  it.each(['F16', 'BF16'] as const)('leaves %s weights mapped without constant folding, and widens them with it', async (type) => {
    expect(await anonymousBytesPerWeight({ kind, type, session: { prepacking: false, constantFolding: false } })).toBeLessThan(1)
    expect(await anonymousBytesPerWeight({ kind, type, session: { prepacking: false, constantFolding: true } })).toBeGreaterThan(3)
  })
})

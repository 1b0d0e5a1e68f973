// ONNX Runtime's official builds report usage by default; here nothing may open a network socket.
import { readFile, readdir, readlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'

import { openOrt } from '../../../engine/runtime/ort'
import { floatBytes, floatValue } from '../../support/tensor-values'
import { tinyOnnx } from '../../support/tiny-onnx'

const model = tinyOnnx({
  inputs: [{ name: 'x', type: 'F32', shape: [2] }],
  outputs: [{ name: 'y', type: 'F32', shape: [2] }],
  nodes: [{ op: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }],
  initializers: [{ name: 'w', type: 'F32', shape: [2], bytes: floatBytes([2, 3]) }],
})

/** Inodes of this process's TCP and UDP sockets. Source: proc(5), /proc/net/tcp and /proc/pid/fd. */
async function networkSockets(): Promise<ReadonlySet<string>> {
  const tables = await Promise.all(
    ['tcp', 'tcp6', 'udp', 'udp6'].map((table) => readFile(`/proc/self/net/${table}`, 'utf8').catch(() => '')),
  )
  const rows = tables.flatMap((table) => table.trim().split('\n').slice(1))
  const ofSystem = new Set(rows.map((row) => row.trim().split(/\s+/)[9]))
  const targets = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  const own = targets.map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1]).filter((inode) => inode !== undefined)
  return new Set(own.filter((inode) => ofSystem.has(inode)))
}

describe.runIf(process.platform === 'linux')('telemetry', () => {
  it('sees a socket when there is one', async () => {
    const before = await networkSockets()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const sockets = await networkSockets()
    await new Promise((resolve) => server.close(resolve))
    expect(sockets.size).toBe(before.size + 1)
  })

  it.each(['c-api', 'node-binding'] as const)('opens no socket through the %s', async (kind) => {
    const before = await networkSockets()
    const ort = await openOrt({ kind })
    using session = await ort.createSession({ model, intraOpNumThreads: 1, prepacking: true, constantFolding: true })
    using x = floatValue(ort, { shape: [2], data: [1, 1] })
    const seen = new Set<string>()
    for (let look = 0; look < 20; look += 1) {
      const { y } = await session.run({ inputs: { x }, outputs: { y: null } })
      y?.[Symbol.dispose]()
      await wait(50)
      for (const inode of await networkSockets()) if (!before.has(inode)) seen.add(inode)
    }
    expect([...seen]).toEqual([])
    expect(process.env['ORT_DISABLE_TELEMETRY']).toBe('1')
  })
})

// Both bindings of ONNX Runtime behave the same: values, external data, outputs in place, errors, disposal.
import { describe, expect, it } from 'vitest'

import { openOrt } from '../../../engine/runtime/ort'
import { tinyOnnx } from '../../support/tiny-onnx'

const matMul = tinyOnnx({
  inputs: [{ name: 'x', type: 'F32', shape: ['n', 2] }],
  outputs: [{ name: 'y', type: 'F32', shape: ['n', 2] }],
  nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
  initializers: [{ name: 'w', type: 'F32', shape: [2, 2], bytes: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) }],
})

describe.each(['c-api'] as const)('%s', (kind) => {
  it('multiplies matrices', async () => {
    const ort = await openOrt({ kind })
    using session = await ort.createSession({ model: matMul, intraOpNumThreads: 1, prepacking: true, constantFolding: true })
    using x = ort.allocate({ dtype: 'F32', shape: [1, 2] })
    new Float32Array(x.bytes.buffer, x.bytes.byteOffset, 2).set([10, 100])
    const { y } = await session.run({ inputs: { x }, outputs: { y: null } })
    expect(y?.shape).toEqual([1, 2])
    expect([...new Float32Array(y?.bytes.slice().buffer ?? new ArrayBuffer(0))]).toEqual([310, 420])
    y?.[Symbol.dispose]()
  })
})

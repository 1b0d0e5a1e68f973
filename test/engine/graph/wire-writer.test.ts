// The protobuf writer against the project's own reader.
import { expect, test } from 'vitest'
import { protoFloat, protoInt, protoString, readProtoFields } from '../../../engine/bytes/protobuf'
import { createMessageWriter } from '../../../engine/graph/onnx/wire-writer'

test('writes integers, negative ones in ten bytes, that read back as they were', () => {
  const values = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 53 - 1, -1, -(2 ** 31)]
  const out = createMessageWriter()
  for (const value of values) out.int(1, value)
  const fields = [...readProtoFields(out.finish(), { what: 'test' })]
  expect(fields.map((field) => (field.wire === 'varint' ? protoInt(field.value) : null))).toEqual(values)
})

test('writes a 64-bit integer that no number holds', () => {
  const out = createMessageWriter()
  out.int(1, 2n ** 63n - 1n)
  const [field] = [...readProtoFields(out.finish(), { what: 'test' })]
  expect(field).toMatchObject({ wire: 'varint', value: 2n ** 63n - 1n })
})

test('writes texts, bytes, floats and field numbers above fifteen', () => {
  const out = createMessageWriter()
  out.text(1, 'grüße')
  out.bytes(16, Uint8Array.of(0, 255))
  out.float(2047, 1e-6)
  const [text, bytes, float] = [...readProtoFields(out.finish(), { what: 'test' })]
  expect(text?.wire === 'bytes' ? protoString(text.bytes, { what: 'test' }) : null).toBe('grüße')
  expect(bytes).toMatchObject({ number: 16, bytes: Uint8Array.of(0, 255) })
  expect(float?.number).toBe(2047)
  expect(float?.wire === 'fixed32' ? protoFloat(float.bytes) : null).toBe(Math.fround(1e-6))
})

test('nests messages', () => {
  const out = createMessageWriter()
  out.message(3, (child) => child.message(4, (grandchild) => grandchild.int(5, 6)))
  const [outer] = [...readProtoFields(out.finish(), { what: 'test' })]
  const [middle] = outer?.wire === 'bytes' ? [...readProtoFields(outer.bytes, { what: 'test' })] : []
  const [inner] = middle?.wire === 'bytes' ? [...readProtoFields(middle.bytes, { what: 'test' })] : []
  expect([outer?.number, middle?.number, inner?.number]).toEqual([3, 4, 5])
})

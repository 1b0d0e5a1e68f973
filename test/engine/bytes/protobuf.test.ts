import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { protoDouble, protoFloat, protoInt, protoString, readProtoFields } from '../../../engine/bytes/protobuf'
import { EngineError } from '../../../engine/errors'
import { engineCode } from '../../support/engine-code'

const fieldsOf = (...bytes: readonly number[]) => [...readProtoFields(Uint8Array.from(bytes), { what: 'test' })]

describe('protobuf reader', () => {
  it('reads the examples of the encoding guide', () => {
    // "150" as field 1 and "testing" as field 2, from protobuf.dev.
    const [number, text] = fieldsOf(0x08, 0x96, 0x01, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67)
    expect(number).toMatchObject({ number: 1, wire: 'varint', value: 150n, offsetBytes: 0 })
    expect(text).toMatchObject({ number: 2, wire: 'bytes', offsetBytes: 3 })
    expect(text?.wire === 'bytes' && protoString(text.bytes, { what: 'test' })).toBe('testing')
  })

  it('reads negative integers, floats and doubles', () => {
    const [negative] = fieldsOf(0x08, ...new Array<number>(9).fill(0xff), 0x01)
    expect(negative?.wire === 'varint' && protoInt(negative.value)).toBe(-1)
    const [float] = fieldsOf(0x0d, 0, 0, 0xc0, 0xbf)
    expect(float?.wire === 'fixed32' && protoFloat(float.bytes)).toBe(-1.5)
    const [double] = fieldsOf(0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f)
    expect(double?.wire === 'fixed64' && protoDouble(double.bytes)).toBe(1.5)
  })

  it('keeps 64 bits of a varint', () => {
    const [field] = fieldsOf(0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)
    expect(field?.wire === 'varint' && field.value).toBe(1n << 63n)
  })

  it.each([
    ['a varint cut off', [0x08, 0x80]],
    ['a tag cut off', [0x80]],
    ['a varint of eleven bytes', [0x08, ...new Array<number>(10).fill(0x80), 0x01]],
    ['a field longer than the message', [0x12, 0x05, 0x61]],
    ['a length of 2^63', [0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ['a fixed32 cut off', [0x0d, 0, 0, 0]],
    ['a fixed64 cut off', [0x09, 0, 0, 0]],
    ['a group', [0x0b]],
    ['wire type 7', [0x0f]],
    ['field number 0', [0x00, 0x00]],
  ])('refuses %s', async (_, bytes) => {
    expect(await engineCode(() => fieldsOf(...bytes))).toBe('bytes/protobuf-malformed')
  })

  it('refuses more fields than allowed', async () => {
    const bytes = Uint8Array.from([0x08, 1, 0x08, 1, 0x08, 1])
    expect(await engineCode(() => [...readProtoFields(bytes, { what: 'test', maxFields: 2 })])).toBe('bytes/protobuf-malformed')
  })

  it('refuses text that is not UTF-8 and keeps a byte order mark', async () => {
    expect(await engineCode(() => protoString(Uint8Array.from([0xff]), { what: 'test' }))).toBe('bytes/protobuf-malformed')
    expect(protoString(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61]), { what: 'test' })).toBe('\ufeffa')
  })

  it('ends with its own error or with fields inside the input, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          for (const field of readProtoFields(bytes, { what: 'property' })) expect(field.offsetBytes).toBeLessThan(bytes.length)
        } catch (error) {
          expect(error).toBeInstanceOf(EngineError)
        }
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createByteCursor, type ByteCursor } from '../../../engine/bytes/cursor'
import { EngineError } from '../../../engine/errors'
import { engineCode } from '../../support/engine-code'

const bytesOf = (...values: readonly number[]): Uint8Array => Uint8Array.from(values)

describe('byte cursor', () => {
  it('reads little-endian integers', () => {
    const cursor = createByteCursor(bytesOf(1, 0x34, 0x12, 0xff, 0xff, 0xff, 0xff, 0xfe), 'test')
    expect([cursor.u8(), cursor.u16(), cursor.i32(), cursor.i8()]).toEqual([1, 0x1234, -1, -2])
    expect(cursor.remainingBytes()).toBe(0)
  })

  it('reads 64-bit integers without losing digits', () => {
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(0, 0xffff_ffff_ffff_fffen, true)
    view.setBigInt64(8, -3n, true)
    const cursor = createByteCursor(bytes, 'test')
    expect(cursor.u64()).toBe(0xffff_ffff_ffff_fffen)
    expect(cursor.i64()).toBe(-3n)
  })

  it('refuses a length above its limit', async () => {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, 101n, true)
    expect(await engineCode(() => createByteCursor(bytes, 'test').length('count', 100))).toBe('bytes/number-too-large')
    expect(createByteCursor(bytes, 'test').length('count', 101)).toBe(101)
  })

  it('refuses a u64 that a number cannot hold', async () => {
    const bytes = new Uint8Array(8).fill(0xff)
    expect(await engineCode(() => createByteCursor(bytes, 'test').length('count'))).toBe('bytes/number-too-large')
  })

  it('refuses negative and fractional sizes', async () => {
    const cursor = createByteCursor(new Uint8Array(8), 'test')
    for (const size of [-1, 0.5, NaN, Infinity, 2 ** 60]) expect(await engineCode(() => cursor.bytes(size))).toBe('bytes/out-of-range')
    expect(cursor.positionBytes()).toBe(0)
  })

  it('never moves or reads past the end', () => {
    const reads: Readonly<Record<string, (cursor: ByteCursor) => unknown>> = {
      u8: (c) => c.u8(),
      u16: (c) => c.u16(),
      u32: (c) => c.u32(),
      u64: (c) => c.u64(),
      i16: (c) => c.i16(),
      f32: (c) => c.f32(),
      f64: (c) => c.f64(),
      bytes5: (c) => c.bytes(5),
      skip3: (c) => c.skip(3),
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.constantFrom(...Object.keys(reads)), { maxLength: 30 }), (data, names) => {
        const cursor = createByteCursor(data, 'property')
        for (const name of names) {
          const before = cursor.positionBytes()
          try {
            reads[name]?.(cursor)
            expect(cursor.positionBytes()).toBeGreaterThan(before)
          } catch (error) {
            expect(error).toBeInstanceOf(EngineError)
            expect(cursor.positionBytes()).toBe(before)
          }
          expect(cursor.positionBytes() + cursor.remainingBytes()).toBe(data.length)
        }
      }),
    )
  })
})

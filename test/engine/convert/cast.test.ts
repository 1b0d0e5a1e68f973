import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { castBytes, isExactCast, type CastTarget } from '../../../engine/convert/cast'
import { decodeFloat64 } from '../../../engine/tensor/decode'
import type { Dtype } from '../../../engine/tensor/dtype'
import golden from '../../fixtures/convert/casts.json'
import { engineCode } from '../../support/engine-code'

const bytesOf = (array: { readonly buffer: ArrayBuffer }): Uint8Array => new Uint8Array(array.buffer)
const codes16 = (bytes: Uint8Array): number[] => [...new Uint16Array(Uint8Array.from(bytes).buffer)]
const codes32 = (bytes: Uint8Array): number[] => [...new Uint32Array(Uint8Array.from(bytes).buffer)]
const everyCode = Uint16Array.from({ length: 65_536 }, (_, code) => code)

function cast(array: { readonly buffer: ArrayBuffer }, from: Dtype, to: CastTarget) {
  return castBytes(bytesOf(array), { from, to })
}

describe('casts', () => {
  it.each(['F16', 'BF16'] as const)('round F32 to %s as torch does', (to) => {
    expect(codes16(cast(Uint32Array.from(golden.f32.source), 'F32', to).bytes)).toEqual(golden.f32[to])
  })

  it('round F64 as torch does', () => {
    const source = Uint8Array.from(Buffer.from(golden.f64.source.join(''), 'hex'))
    expect(codes32(castBytes(source, { from: 'F64', to: 'F32' }).bytes)).toEqual(golden.f64.F32)
    expect(codes16(castBytes(source, { from: 'F64', to: 'F16' }).bytes)).toEqual(golden.f64.F16)
    expect(codes16(castBytes(source, { from: 'F64', to: 'BF16' }).bytes)).toEqual(golden.f64.BF16)
  })

  it.each([
    ['F16', 'BF16', golden.everyCodeSha256['F16 to BF16']],
    ['BF16', 'F16', golden.everyCodeSha256['BF16 to F16']],
  ] as const)('turn every %s into the %s of torch', (from, to, expected) => {
    const numbers = everyCode.filter((code) => !Number.isNaN(decodeFloat64(bytesOf(Uint16Array.of(code)), from)[0]))
    const { bytes } = cast(numbers, from, to)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(expected)
  })

  it.each(['F16', 'BF16'] as const)('bring every %s back from F32 and F64 as it was', (dtype) => {
    for (const wide of ['F32', 'F64'] as const) {
      const there = cast(everyCode, dtype, wide)
      expect(there.loss).toEqual({ maxAbsError: 0, overflowed: 0, flushedToZero: 0 })
      const back = codes16(castBytes(there.bytes, { from: wide, to: dtype }).bytes)
      const changed = [...everyCode].filter((code) => back[code] !== code)
      // Only the payloads of NaN are not kept.
      expect(changed.every((code) => Number.isNaN(decodeFloat64(bytesOf(Uint16Array.of(code)), dtype)[0]))).toBe(true)
      expect(decodeFloat64(bytesOf(Uint16Array.from(back)), dtype)).toEqual(decodeFloat64(bytesOf(everyCode), dtype))
    }
  })

  it('keep NaN not a number', () => {
    const source = Uint32Array.of(0x7f800001, 0xffc00000, 0x7fffffff, 0xff800001)
    for (const to of ['F16', 'BF16', 'F64'] as const) {
      const { bytes, loss } = cast(source, 'F32', to)
      expect([...decodeFloat64(bytes, to)].every(Number.isNaN)).toBe(true)
      expect(loss).toEqual({ maxAbsError: 0, overflowed: 0, flushedToZero: 0 })
    }
  })

  it('choose a nearest value, and the even one between two', () => {
    const step = (code: number, by: number): number => decodeFloat64(bytesOf(Uint16Array.of(code + by)), 'F16')[0] ?? NaN
    fc.assert(
      fc.property(fc.float({ min: -65_504, max: 65_504, noNaN: true }), (value) => {
        const [code = 0] = codes16(cast(Float32Array.of(value), 'F32', 'F16').bytes)
        const error = Math.abs(step(code, 0) - value)
        if ((code & 0x7fff) === 0) return
        for (const neighbour of [step(code, -1), step(code, 1)].filter(Number.isFinite)) {
          expect(Math.abs(neighbour - value)).toBeGreaterThanOrEqual(error)
          if (Math.abs(neighbour - value) === error) expect(code % 2).toBe(0)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('report the largest error, what became infinite and what became zero', () => {
    const { loss } = cast(Float32Array.of(1, 1 + 2 ** -12, 2049, 1e6, -1e30, Infinity, 1e-30, 0), 'F32', 'F16')
    expect(loss).toEqual({ maxAbsError: 1, overflowed: 2, flushedToZero: 1 })
  })

  it('measure the error of F64 against the F64 value itself', () => {
    const { loss } = cast(Float64Array.of(1 + 2 ** -30), 'F64', 'F32')
    expect(loss.maxAbsError).toBe(2 ** -30)
  })

  it('are exact where isExactCast says so', () => {
    const small = ['F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'F8_E8M0'] as const
    const everyByte = Uint8Array.from({ length: 256 }, (_, code) => code)
    for (const from of small) {
      for (const to of ['F64', 'F32', 'F16', 'BF16'] as const) {
        const isSame = decodeFloat64(castBytes(everyByte, { from, to }).bytes, to).every((value, index) =>
          Object.is(value, decodeFloat64(everyByte, from)[index]),
        )
        expect([from, to, isSame]).toEqual([from, to, isExactCast(from, to)])
      }
    }
  })

  it('leave what has the dtype already untouched', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4)
    expect(castBytes(bytes, { from: 'F16', to: 'F16' }).bytes).toBe(bytes)
  })

  it('refuse packed numbers that no specification lays out', async () => {
    expect(await engineCode(() => castBytes(new Uint8Array(3), { from: 'F6_E2M3', to: 'F32' }))).toBe('checkpoint/undecodable-dtype')
  })
})

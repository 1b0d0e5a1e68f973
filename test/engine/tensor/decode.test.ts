import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFloat32, decodeFloat64, isDecodable } from '../../../engine/tensor/decode'
import { DTYPE_BITS, isDtype, type Dtype } from '../../../engine/tensor/dtype'
import { countElements, tensorSizeBytes } from '../../../engine/tensor/shape'
import golden from '../../fixtures/tensor/float-values.json'
import { engineCode } from '../../support/engine-code'

const everyByte = Uint8Array.from({ length: 256 }, (_, code) => code)
const halfBytes = new Uint8Array(Uint16Array.from(golden.halfCodes).buffer)
const bytesOf = (array: { readonly buffer: ArrayBuffer }): Uint8Array => new Uint8Array(array.buffer)

/** The fixture writes NaN and infinities as text, since JSON has none. */
function expectValues(found: Float32Array, expected: readonly (number | string)[]): void {
  expect([...found]).toEqual(expected.map(Number))
}

describe('tensor decoding', () => {
  it.each(['F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'F8_E8M0'] as const)('decodes every code of %s as torch does', (dtype) => {
    expectValues(decodeFloat32(everyByte, dtype), golden[dtype])
  })

  it.each(['F16', 'BF16'] as const)('decodes %s as torch does', (dtype) => {
    expectValues(decodeFloat32(halfBytes, dtype), golden[dtype])
  })

  it('decodes the sixteen values of F4, low half first', () => {
    const values = decodeFloat32(Uint8Array.from([0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]), 'F4')
    expect([...values]).toEqual([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6])
  })

  it('decodes integers of every width and sign', () => {
    expect([...decodeFloat64(Uint8Array.from([0, 1, 2]), 'BOOL')]).toEqual([0, 1, 1])
    expect([...decodeFloat64(bytesOf(Int8Array.of(-128, 127)), 'I8')]).toEqual([-128, 127])
    expect([...decodeFloat64(bytesOf(Int16Array.of(-32768)), 'I16')]).toEqual([-32768])
    expect([...decodeFloat64(bytesOf(Uint16Array.of(65535)), 'U16')]).toEqual([65535])
    expect([...decodeFloat64(bytesOf(Int32Array.of(-(2 ** 31))), 'I32')]).toEqual([-(2 ** 31)])
    expect([...decodeFloat64(bytesOf(Uint32Array.of(2 ** 32 - 1)), 'U32')]).toEqual([2 ** 32 - 1])
    expect([...decodeFloat64(bytesOf(BigInt64Array.of(-5n)), 'I64')]).toEqual([-5])
    expect([...decodeFloat64(bytesOf(BigUint64Array.of(2n ** 63n)), 'U64')]).toEqual([2 ** 63])
  })

  it('keeps F32 and F64 bit for bit, at any byte offset', () => {
    fc.assert(
      fc.property(fc.float32Array(), fc.float64Array(), fc.integer({ min: 0, max: 7 }), (singles, doubles, shift) => {
        const shifted = (bytes: Uint8Array) => {
          const room = new Uint8Array(bytes.length + shift)
          room.set(bytes, shift)
          return room.subarray(shift)
        }
        expect(decodeFloat32(shifted(new Uint8Array(singles.buffer, singles.byteOffset, singles.byteLength)), 'F32')).toEqual(singles)
        expect(decodeFloat64(shifted(new Uint8Array(doubles.buffer, doubles.byteOffset, doubles.byteLength)), 'F64')).toEqual(doubles)
      }),
    )
  })

  it('refuses dtypes whose values it cannot order or unpack', async () => {
    for (const dtype of Object.keys(DTYPE_BITS).filter(isDtype)) {
      const expected = isDecodable(dtype) ? 'no error' : 'checkpoint/undecodable-dtype'
      expect(await engineCode(() => decodeFloat32(new Uint8Array(24), dtype))).toBe(expected)
    }
    expect(isDecodable('C64')).toBe(false)
  })
})

describe('tensor sizes', () => {
  it('counts elements', () => {
    expect(countElements([])).toBe(1)
    expect(countElements([2, 0, 3])).toBe(0)
    expect(countElements([2, 3, 4])).toBe(24)
  })

  it('agrees with exact integers and refuses what leaves them', () => {
    const dimension = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 2 ** 32 }))
    fc.assert(
      fc.property(fc.array(dimension, { maxLength: 5 }), fc.constantFrom<Dtype>('F32', 'BF16', 'U8', 'F64'), (shape, dtype) => {
        // A prefix beyond the limit is refused even where a later zero would make the product small, as in safetensors.
        const prefixes = shape.map((_, index) => shape.slice(0, index + 1).reduce((product, value) => product * BigInt(value), 1n))
        const exact = prefixes.at(-1) ?? 1n
        const bytes = exact * BigInt(DTYPE_BITS[dtype] / 8)
        const limit = BigInt(Number.MAX_SAFE_INTEGER)
        const expected = bytes > limit || prefixes.some((prefix) => prefix > limit) ? null : Number(bytes)
        expect(tensorSizeBytes(dtype, shape)).toBe(expected)
      }),
    )
  })

  it('refuses a packed tensor that does not end on a byte', () => {
    expect(tensorSizeBytes('F4', [3])).toBe(null)
    expect(tensorSizeBytes('F4', [4])).toBe(2)
    expect(tensorSizeBytes('F6_E2M3', [4])).toBe(3)
    expect(tensorSizeBytes('F6_E3M2', [2])).toBe(null)
  })

  it('knows the names of safetensors only', () => {
    expect(isDtype('BF16')).toBe(true)
    expect(isDtype('constructor')).toBe(false)
    expect(isDtype('float32')).toBe(false)
  })
})

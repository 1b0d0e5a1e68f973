// Block formats by hand-made blocks: what the layouts say, value by value. The reference file checks the formats that the gguf library knows.
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { dequantizeBlocks } from '../../../../engine/tensor/blocks/dequantize'
import { BLOCK_FORMATS, type BlockType } from '../../../../engine/tensor/blocks/formats'
import { GRIDS, SIGN_BITS } from '../../../../engine/tensor/blocks/grids'

/** F16 of 2, little-endian. */
const TWO = [0x00, 0x40] as const

function dequantize(type: BlockType, block: readonly number[]): readonly number[] {
  const { elements, sizeBytes } = BLOCK_FORMATS[type]
  const bytes = new Uint8Array(sizeBytes)
  bytes.set(block)
  const target = new Float32Array(elements)
  expect(dequantizeBlocks(bytes, { type, target })).toBe(elements)
  return [...target]
}

const types = Object.keys(BLOCK_FORMATS) as BlockType[]

describe('block formats', () => {
  it('Q1_0 is plus or minus the scale, lowest bit first', () => {
    const values = dequantize('Q1_0', [...TWO, 0b101])
    expect(values.slice(0, 4)).toEqual([2, -2, 2, -2])
    expect(values).toHaveLength(128)
  })

  it('Q2_0 has the codes -1, 0, 1, 2, lowest bits first', () => {
    expect(dequantize('Q2_0', [...TWO, 0b11_10_01_00]).slice(0, 5)).toEqual([-2, 0, 2, 4, -2])
  })

  it('Q4_0 has the low halves first and codes around 8', () => {
    const values = dequantize('Q4_0', [...TWO, 0xf0])
    expect([values[0], values[16], values[1]]).toEqual([-16, 14, -16])
  })

  it('Q8_1 skips the sum', () => {
    expect(dequantize('Q8_1', [...TWO, 0xff, 0xff, 3, 0xfe]).slice(0, 3)).toEqual([6, -4, 0])
  })

  it('Q8_K has an F32 scale', () => {
    const scale = [...new Uint8Array(Float32Array.of(0.5).buffer)]
    expect(dequantize('Q8_K', [...scale, 127, 0x80]).slice(0, 3)).toEqual([63.5, -64, 0])
  })

  it('Q6_K joins low and high bits around 32', () => {
    const block = new Array<number>(210).fill(0)
    block[0] = 0x21 // low bits of values 0 and 64
    block[128] = 0b10_00_01_11 // high bits of values 0, 32, 64, 96
    block[192] = 1
    block[194] = 0xff
    block[196] = 2
    block[198] = 3
    block.splice(208, 2, ...TWO)
    const values = dequantize('Q6_K', block)
    expect([values[0], values[32], values[64], values[96]]).toEqual([2 * 17, -2 * -16, 4 * -30, 6 * 0])
  })

  it('MXFP4 counts a scale of 255 as 2^128', () => {
    const values = dequantize('MXFP4', [255, 0x21, 0])
    expect([values[0], values[16]]).toEqual([2 ** 127, Infinity])
    expect(dequantize('MXFP4', [0, 0x01])[0]).toBe(2 ** -128)
  })

  it('NVFP4 ignores the sign of a scale and counts its NaN as 0', () => {
    const values = dequantize('NVFP4', [0x38, 0xb8, 0x7f, 0x01, ...new Array<number>(32).fill(0x22)])
    expect([values[0], values[16], values[32], values[48]]).toEqual([1, 1, 0, 2 ** -9])
  })

  it.each(types)('%s gives zeros, or its smallest codes times zero, for a block of zero bytes', (type) => {
    const values = dequantize(type, [])
    // MXFP4's zero scale is 2^-127, its zero code is still 0.
    expect(values.every((value) => value === 0)).toBe(true)
  })

  it.each(types)('%s stops before a part of a block and before the end of the target', (type) => {
    const { elements, sizeBytes } = BLOCK_FORMATS[type]
    const bytes = new Uint8Array(3 * sizeBytes - 1).fill(0x3c)
    const target = new Float32Array(3 * elements).fill(12345)
    expect(dequantizeBlocks(bytes, { type, target })).toBe(2 * elements)
    expect(target.subarray(2 * elements).every((value) => value === 12345)).toBe(true)
    expect(dequantizeBlocks(bytes, { type, target: target.subarray(0, elements) })).toBe(elements)
  })

  it.each(types)('%s gives the same values wherever the block starts', (type) => {
    const { elements, sizeBytes } = BLOCK_FORMATS[type]
    const padded = Uint8Array.from({ length: sizeBytes + 3 }, (_, index) => (index * 37) & 0x3f)
    const shifted = new Float32Array(elements)
    const aligned = new Float32Array(elements)
    dequantizeBlocks(padded.subarray(3), { type, target: shifted })
    dequantizeBlocks(padded.slice(3), { type, target: aligned })
    expect(shifted).toEqual(aligned)
  })
})

describe('codebooks', () => {
  const digest = (grid: Float32Array): string => createHash('sha256').update(Int8Array.from(grid)).digest('hex').slice(0, 16)

  // Counts from ggml-common.h; digests of the tables as int8, row by row, made from gguf 0.19 (quants.py).
  it.each([
    ['IQ1_S', 2048, 8, '07540ffc1aeaf6ad'],
    ['IQ2_XXS', 256, 8, '05826b5d3e472a3a'],
    ['IQ2_XS', 512, 8, '06e47aaca60b4dc1'],
    ['IQ2_S', 1024, 8, 'e1aa1473412b0552'],
    ['IQ3_XXS', 256, 4, '46e35f5a997efdee'],
    ['IQ3_S', 512, 4, 'bd1af4945a1717c6'],
  ] as const)('%s is the table of %i points of %i coordinates', (name, points, coordinates, expected) => {
    expect(GRIDS[name]).toHaveLength(points * coordinates)
    expect(digest(GRIDS[name])).toBe(expected)
  })

  it('every sign code has an even number of signs', () => {
    expect([...SIGN_BITS].every((bits) => bits.toString(2).replaceAll('0', '').length % 2 === 0)).toBe(true)
    expect([...SIGN_BITS].every((bits, code) => (bits & 127) === code)).toBe(true)
  })
})

// Blocks whose codes are points of a codebook: IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S. Layouts follow ggml (pull requests 4773, 4856, 5676, 5999, 6302).
import { halfAt, type BlockRun } from './block-run'
import { GRIDS, SIGN_BITS } from './grids'

/** Where a point goes, how it is scaled, and which of its coordinates change sign (lowest bit first). */
interface PlacedPoint {
  readonly grid: Float32Array
  readonly point: number
  readonly scale: number
  readonly signs: number
  readonly to: number
}

function writeSigned8(target: Float32Array, { grid, point, scale, signs, to }: PlacedPoint): void {
  const first = point * 8
  for (let index = 0; index < 8; index++) {
    const value = scale * (grid[first + index] ?? NaN)
    target[to + index] = (signs >> index) & 1 ? -value : value
  }
}

function writeSigned4(target: Float32Array, { grid, point, scale, signs, to }: PlacedPoint): void {
  const first = point * 4
  for (let index = 0; index < 4; index++) {
    const value = scale * (grid[first + index] ?? NaN)
    target[to + index] = (signs >> index) & 1 ? -value : value
  }
}

/** IQ2_XXS: F16 scale; for 32 values four point bytes and a U32 of four seven-bit sign codes below a four-bit scale. */
export function dequantizeIQ2_XXS(run: BlockRun): void {
  const { source, target, blocks } = run
  const grid = GRIDS.IQ2_XXS
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 66, to += 256) {
    const superScale = halfAt(run, from)
    for (let group = 0; group < 8; group++) {
      const points = from + 2 + group * 8
      const packed = source.getInt32(points + 4, true)
      const scale = superScale * (0.5 + (packed >>> 28)) * 0.25
      for (let part = 0; part < 4; part++) {
        const signs = SIGN_BITS[(packed >>> (7 * part)) & 127] ?? 0
        writeSigned8(target, { grid, point: source.getUint8(points + part), scale, signs, to: to + group * 32 + part * 8 })
      }
    }
  }
}

/** IQ2_XS: F16 scale, 32 U16 of a nine-bit point and a seven-bit sign code, sixteen four-bit scales. */
export function dequantizeIQ2_XS(run: BlockRun): void {
  const { source, target, blocks } = run
  const grid = GRIDS.IQ2_XS
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 74, to += 256) {
    const superScale = halfAt(run, from)
    for (let part = 0; part < 32; part++) {
      const packed = source.getUint16(from + 2 + part * 2, true)
      const nibble = (source.getUint8(from + 66 + (part >> 2)) >> (4 * ((part >> 1) & 1))) & 15
      const scale = superScale * (0.5 + nibble) * 0.25
      writeSigned8(target, { grid, point: packed & 511, scale, signs: SIGN_BITS[packed >> 9] ?? 0, to: to + part * 8 })
    }
  }
}

/** IQ2_S: F16 scale, 32 point bytes, 32 sign bytes, 8 bytes of two high point bits, sixteen four-bit scales. */
export function dequantizeIQ2_S(run: BlockRun): void {
  const { source, target, blocks } = run
  const grid = GRIDS.IQ2_S
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 82, to += 256) {
    const superScale = halfAt(run, from)
    for (let part = 0; part < 32; part++) {
      const high = (source.getUint8(from + 66 + (part >> 2)) >> (2 * (part & 3))) & 3
      const nibble = (source.getUint8(from + 74 + (part >> 2)) >> (4 * ((part >> 1) & 1))) & 15
      const scale = superScale * (0.5 + nibble) * 0.25
      const point = source.getUint8(from + 2 + part) | (high << 8)
      writeSigned8(target, { grid, point, scale, signs: source.getUint8(from + 34 + part), to: to + part * 8 })
    }
  }
}

/** IQ3_XXS: F16 scale, 64 point bytes (four values each), and for 32 values a U32 of four seven-bit sign codes below a four-bit scale. */
export function dequantizeIQ3_XXS(run: BlockRun): void {
  const { source, target, blocks } = run
  const grid = GRIDS.IQ3_XXS
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 98, to += 256) {
    const superScale = halfAt(run, from)
    for (let group = 0; group < 8; group++) {
      const packed = source.getInt32(from + 66 + group * 4, true)
      const scale = superScale * (0.5 + (packed >>> 28)) * 0.5
      for (let part = 0; part < 8; part++) {
        const bits = SIGN_BITS[(packed >>> (7 * (part >> 1))) & 127] ?? 0
        const point = source.getUint8(from + 2 + group * 8 + part)
        writeSigned4(target, { grid, point, scale, signs: bits >> (4 * (part & 1)), to: to + group * 32 + part * 4 })
      }
    }
  }
}

/** IQ3_S: F16 scale, 64 point bytes, 8 bytes of a ninth point bit, 32 sign bytes, eight four-bit scales. */
export function dequantizeIQ3_S(run: BlockRun): void {
  const { source, target, blocks } = run
  const grid = GRIDS.IQ3_S
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 110, to += 256) {
    const superScale = halfAt(run, from)
    for (let group = 0; group < 8; group++) {
      const nibble = (source.getUint8(from + 106 + (group >> 1)) >> (4 * (group & 1))) & 15
      const scale = superScale * (1 + 2 * nibble)
      const highs = source.getUint8(from + 66 + group)
      for (let part = 0; part < 8; part++) {
        const point = source.getUint8(from + 2 + group * 8 + part) | (((highs >> part) & 1) << 8)
        const signs = source.getUint8(from + 74 + group * 4 + (part >> 1)) >> (4 * (part & 1))
        writeSigned4(target, { grid, point, scale, signs, to: to + group * 32 + part * 4 })
      }
    }
  }
}

/** The points of IQ1 are shifted as a whole by an eighth, up or down. */
interface ShiftedPoint {
  readonly grid: Float32Array
  readonly point: number
  readonly scale: number
  readonly shift: number
  readonly to: number
}

function writeShifted(target: Float32Array, { grid, point, scale, shift, to }: ShiftedPoint): void {
  const first = point * 8
  for (let index = 0; index < 8; index++) target[to + index] = scale * ((grid[first + index] ?? NaN) + shift)
}

/** IQ1_S: F16 scale, 32 point bytes, and for 32 values a U16 of four times three high point bits, a three-bit scale and the shift's sign. */
export function dequantizeIQ1_S(run: BlockRun): void {
  const { source, target, blocks } = run
  const grid = GRIDS.IQ1_S
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 50, to += 256) {
    const superScale = halfAt(run, from)
    for (let group = 0; group < 8; group++) {
      const packed = source.getUint16(from + 34 + group * 2, true)
      const scale = superScale * (2 * ((packed >> 12) & 7) + 1)
      const shift = packed & 0x8000 ? -0.125 : 0.125
      for (let part = 0; part < 4; part++) {
        const point = source.getUint8(from + 2 + group * 4 + part) | (((packed >> (3 * part)) & 7) << 8)
        writeShifted(target, { grid, point, scale, shift, to: to + group * 32 + part * 8 })
      }
    }
  }
}

/** IQ1_M: 32 point bytes, 16 bytes of three high point bits and the shift's sign, four U16 of four three-bit scales; their top four bits together are the F16 scale. */
export function dequantizeIQ1_M(run: BlockRun): void {
  const { source, target, blocks, half } = run
  const grid = GRIDS.IQ1_S
  for (let block = 0, from = 0, to = 0; block < blocks; block++, from += 56, to += 256) {
    let halfBits = 0
    for (let part = 0; part < 4; part++) halfBits |= (source.getUint16(from + 48 + part * 2, true) >> 12) << (4 * part)
    const superScale = half[halfBits] ?? NaN
    for (let part = 0; part < 32; part++) {
      const group = part >> 1
      const scaleBits = source.getUint16(from + 48 + (group >> 2) * 2, true) >> (3 * (group & 3))
      const packed = source.getUint8(from + 32 + group) >> (4 * (part & 1))
      const point = source.getUint8(from + part) | ((packed & 7) << 8)
      const scale = superScale * (2 * (scaleBits & 7) + 1)
      writeShifted(target, { grid, point, scale, shift: packed & 8 ? -0.125 : 0.125, to: to + part * 8 })
    }
  }
}

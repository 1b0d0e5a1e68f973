// The quantizing kernel (AssemblyScript 0.28, WASM SIMD): rows of F32, F16 or BF16 -> MatMulNBits codes, scales and zero points.
// quantize.ts says what it computes and is its oracle, bit for bit; scripts/build-kernel.mjs compiles it into kernel-wasm.ts.

const F16: i32 = 1
const BF16: i32 = 2
/** One block as F32; the largest block has 256 values. */
const scratch: usize = memory.data(1024, 16)
/** The smallest normal F32: a smaller scale has no usable inverse. */
const MIN_SCALE: f32 = 1.1754943508222875e-38

@inline
function halfToFloat(h: v128): v128 {
  // Exponent and mantissa moved to their places, then scaled by 2^112: exact for subnormals too. Infinities become 65536 and more.
  const sign = i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16)
  const rest = i32x4.shl(v128.and(h, i32x4.splat(0x7fff)), 13)
  return v128.or(sign, f32x4.mul(rest, f32x4.splat(reinterpret<f32>(0x77800000))))
}

@inline
function loadBlock(src: usize, dtype: i32, count: i32): void {
  let i = 0
  if (dtype == BF16) {
    for (; i + 8 <= count; i += 8) {
      const raw = v128.load(src + (i << 1))
      v128.store(scratch + (i << 2), i32x4.shl(i32x4.extend_low_i16x8_u(raw), 16))
      v128.store(scratch + (i << 2) + 16, i32x4.shl(i32x4.extend_high_i16x8_u(raw), 16))
    }
    for (; i < count; i++) store<u32>(scratch + (i << 2), (load<u16>(src + (i << 1)) as u32) << 16)
  } else if (dtype == F16) {
    for (; i + 8 <= count; i += 8) {
      const raw = v128.load(src + (i << 1))
      v128.store(scratch + (i << 2), halfToFloat(i32x4.extend_low_i16x8_u(raw)))
      v128.store(scratch + (i << 2) + 16, halfToFloat(i32x4.extend_high_i16x8_u(raw)))
    }
    for (; i < count; i++) v128.store_lane<u32>(scratch + (i << 2), halfToFloat(i32x4.splat(load<u16>(src + (i << 1)))), 0)
  } else {
    memory.copy(scratch, src, (count as usize) << 2)
  }
}

@inline
function lowest(v: v128): f32 {
  const half = f32x4.pmin(v, v128.shuffle<u32>(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(f32x4.pmin(half, v128.shuffle<u32>(half, half, 1, 0, 3, 2)), 0)
}

@inline
function highest(v: v128): f32 {
  const half = f32x4.pmax(v, v128.shuffle<u32>(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(f32x4.pmax(half, v128.shuffle<u32>(half, half, 1, 0, 3, 2)), 0)
}

/** Bits of the largest magnitude: for finite numbers their order is that of the numbers, and infinity and NaN are above them. */
@inline
function largestBits(v: v128): i32 {
  const half = i32x4.max_u(v, v128.shuffle<u32>(v, v, 2, 3, 0, 1))
  return i32x4.extract_lane(i32x4.max_u(half, v128.shuffle<u32>(half, half, 1, 0, 3, 2)), 0)
}

/** 4 values -> 4 codes: x * inverse + zero, clamped, rounded to the nearest by adding 2^23, whose low bits are then the number. */
@inline
function codes4(x: v128, inverse: v128, zero: v128, top: v128): v128 {
  const clamped = f32x4.pmax(f32x4.splat(0), f32x4.pmin(top, f32x4.add(f32x4.mul(x, inverse), zero)))
  return v128.and(f32x4.add(clamped, f32x4.splat(8388608)), i32x4.splat(0xff))
}

/** 16 values from `at` -> 16 codes in bytes. */
@inline
function codes16(at: usize, inverse: v128, zero: v128, top: v128): v128 {
  const a = codes4(v128.load(at), inverse, zero, top)
  const b = codes4(v128.load(at, 16), inverse, zero, top)
  const c = codes4(v128.load(at, 32), inverse, zero, top)
  const d = codes4(v128.load(at, 48), inverse, zero, top)
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d))
}

/** Quantizes `rows` rows of `columns` values; returns how many blocks hold a value that is no finite number. `zeroPoints` is written for 4 bits only. */
export function quantize(
  src: usize, dtype: i32, rows: i32, columns: i32, bits: i32, block: i32, codes: usize, scales: usize, zeroPoints: usize,
): i32 {
  const elementBytes: i32 = dtype == 0 ? 4 : 2
  const blocks = (columns + block - 1) / block
  /** Bits of infinity, and of what an F16 infinity was made. */
  const limit: i32 = dtype == F16 ? 0x47800000 : 0x7f800000
  const magnitude = i32x4.splat(0x7fffffff)
  const blockBytes = (block as usize) << 2
  let broken = 0
  for (let row = 0; row < rows; row++) {
    let pair: u32 = 0
    for (let index = 0; index < blocks; index++) {
      const start = index * block
      const count = min(block, columns - start)
      if (count < block) memory.fill(scratch, 0, blockBytes)
      loadBlock(src + (start as usize) * elementBytes, dtype, count)
      let sizes = i32x4.splat(0)
      let inverse: f32 = 0
      if (bits == 8) {
        for (let i: usize = 0; i < blockBytes; i += 32) {
          sizes = i32x4.max_u(sizes, v128.and(v128.load(scratch + i), magnitude))
          if (i + 16 < blockBytes) sizes = i32x4.max_u(sizes, v128.and(v128.load(scratch + i, 16), magnitude))
        }
        const largest = largestBits(sizes)
        if (largest >= limit) broken++
        let scale: f32 = reinterpret<f32>(largest) / 127
        if (scale < MIN_SCALE) scale = 0
        else inverse = 1 / scale
        store<f32>(scales, scale)
        const v = f32x4.splat(inverse)
        for (let i: usize = 0; i < blockBytes; i += 64) {
          v128.store(codes, codes16(scratch + i, v, f32x4.splat(128), f32x4.splat(255)))
          codes += 16
        }
      } else {
        // pmin and pmax are one instruction each and pass over NaN; the bits tell of it.
        let low = f32x4.splat(0)
        let high = f32x4.splat(0)
        for (let i: usize = 0; i < blockBytes; i += 16) {
          const x = v128.load(scratch + i)
          low = f32x4.pmin(low, x)
          high = f32x4.pmax(high, x)
          sizes = i32x4.max_u(sizes, v128.and(x, magnitude))
        }
        const least = lowest(low)
        const range = highest(high) - least
        if (largestBits(sizes) >= limit || !(range < Infinity)) broken++
        let scale: f32 = range / 15
        if (scale < MIN_SCALE) scale = 0
        else inverse = 1 / scale
        store<f32>(scales, scale)
        const zero: u32 = scale == 0 ? 8 : (nearest<f32>(min<f32>(max<f32>(-least * inverse, 0), 15)) as u32)
        const middle = f32x4.splat(zero as f32)
        const v = f32x4.splat(inverse)
        for (let i: usize = 0; i < blockBytes; i += 64) {
          const c = codes16(scratch + i, v, middle, f32x4.splat(15))
          const joined = v128.and(v128.or(c, i16x8.shr_u(c, 4)), i16x8.splat(0xff))
          v128.store64_lane(codes, i8x16.narrow_i16x8_u(joined, joined), 0)
          codes += 8
        }
        // A row's zero points lie two in a byte; the missing last one is 8.
        if ((index & 1) == 0) {
          pair = zero
          if (index == blocks - 1) store<u8>(zeroPoints++, pair | 0x80)
        } else store<u8>(zeroPoints++, pair | (zero << 4))
      }
      scales += 4
    }
    src += (columns as usize) * elementBytes
  }
  return broken
}

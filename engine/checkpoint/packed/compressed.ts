// compressed-tensors matrices: rows of packed integers, plain int8, float8, or E2M1 with two scales. Follows compressed-tensors 0.15 (pack_quantized, naive_quantized, nvfp4, mxfp4).
import { decodeFloat32 } from '../../tensor/decode'
import type { Dtype } from '../../tensor/dtype'
import { evenGroups, planBlocks, type GroupedRows } from '../../tensor/packed/grouped-rows'
import { engineError } from '../../errors'
import type { TensorInfo } from '../types'
import { doubledFourBitFloats, halvedPowersOfTwo, MIDDLE } from './four-bit-floats'
import { findScaledFloats } from './scaled-floats'
import { badShape, matrixSizes, requireShape, type PackedMatrix, type PartFinder, type PartReader, type RowRange } from './packed-matrix'
import type { CompressedGroup, CompressedScheme } from './scheme'

const SCALE_DTYPES: readonly Dtype[] = ['F16', 'BF16', 'F32']
const FLOAT8_DTYPES: readonly Dtype[] = ['F8_E4M3', 'F8_E5M2']

/** Finds the matrices of a compressed-tensors checkpoint. Which config group a module belongs to, its parts and their shapes tell. */
export async function findCompressed(parts: PartFinder, scheme: CompressedScheme): Promise<readonly PackedMatrix[]> {
  const found: PackedMatrix[] = []
  for (const name of parts.names) {
    if (name.endsWith('.weight_packed')) {
      const module = name.slice(0, -'.weight_packed'.length)
      const isWords = parts.part(name, ['I32', 'U32', 'U8']).dtype !== 'U8'
      found.push(isWords ? await packedIntegers(parts, module, scheme) : packedFloats(parts, module))
    }
    const module = name.endsWith('.weight') ? name.slice(0, -'.weight'.length) : null
    if (module === null || !parts.has(`${module}.weight_scale`)) continue
    const weight = parts.part(name, ['I8', ...FLOAT8_DTYPES, ...SCALE_DTYPES])
    if (weight.dtype === 'I8') found.push(plainIntegers(parts, module, scheme))
    else if (FLOAT8_DTYPES.includes(weight.dtype)) {
      const block = scheme.groups.find(({ blockSize }) => blockSize !== null)?.blockSize ?? null
      found.push(findScaledFloats(parts, { module, scale: `${module}.weight_scale`, blockSize: block }))
    }
  }
  return found
}

/** The scales of a matrix, one for each group of a row, or one for all. Its groups must be those of some config group. */
function groupsBy(
  scale: TensorInfo,
  sizes: { readonly rows: number; readonly columns: number },
  candidates: readonly CompressedGroup[],
): { readonly groupOf: Int32Array; readonly groups: number; readonly shared: boolean } {
  const { rows, columns } = sizes
  const count = scale.shape.reduce((product, size) => product * size, 1)
  if (count === 1) return { groupOf: new Int32Array(columns), groups: 1, shared: true }
  const groups = scale.shape.length === 1 ? 1 : (scale.shape[1] ?? 0)
  if (scale.shape[0] !== rows || scale.shape.length > 2 || groups < 1) throw badShape(scale, `[${rows}, groups]`)
  if (groups === 1) return { groupOf: new Int32Array(columns), groups, shared: false }
  const size = candidates.map(({ groupSize }) => groupSize).find((each) => each !== null && Math.ceil(columns / each) === groups)
  if (size === undefined || size === null) throw badShape(scale, `[${rows}, groups of the size that quantization_config names]`)
  return { groupOf: evenGroups(columns, size), groups, shared: false }
}

interface IntegerParts {
  readonly scale: TensorInfo
  readonly zeroPoint: TensorInfo | null
  readonly rows: number
  readonly columns: number
  readonly bits: 4 | 8
  readonly groups: number
  readonly shared: boolean
}

/** Scales of rows, [rows, groups]; a scale for all is repeated. */
async function rowScales(
  reader: PartReader,
  { scale, groups, shared }: Pick<IntegerParts, 'scale' | 'groups' | 'shared'>,
  { firstRow, rows }: RowRange,
): Promise<Float32Array> {
  if (shared) return new Float32Array(rows).fill(decodeFloat32(await reader.whole(scale.name), scale.dtype)[0] ?? NaN)
  const elementBytes = scale.sizeBytes / scale.shape.reduce((product, size) => product * size, 1)
  const rowBytes = groups * elementBytes
  return decodeFloat32(await reader.range(scale.name, firstRow * rowBytes, rows * rowBytes), scale.dtype)
}

/** Zero points of rows as codes; without any, the middle. Packed ones lie along the rows, so that eight rows share a word. */
async function rowZeroPoints(reader: PartReader, parts: IntegerParts, { firstRow, rows }: RowRange): Promise<Uint8Array> {
  const { zeroPoint, groups, bits, shared } = parts
  const middle = 2 ** (bits - 1)
  const zeros = new Uint8Array(rows * groups).fill(middle)
  if (zeroPoint === null) return zeros
  const bytes = await reader.whole(zeroPoint.name)
  const isWords = zeroPoint.dtype !== 'I8'
  const perWord = 32 / bits
  const perByte = 8 / bits
  for (let row = 0; row < rows; row++) {
    const at = shared ? 0 : firstRow + row
    for (let group = 0; group < groups; group++) {
      const word = Math.floor(at / perWord) * groups + group
      const byte = bytes[4 * word + Math.floor((at % perWord) / perByte)] ?? 0
      const code = isWords
        ? (byte >> (bits * (at % perByte))) & (2 ** bits - 1)
        : (((bytes[at * groups + group] ?? 0) << 24) >> 24) + middle
      zeros[row * groups + group] = code
    }
  }
  return zeros
}

function integerMatrix(
  module: string,
  options: {
    readonly parts: IntegerParts
    readonly names: readonly string[]
    readonly groupOf: Int32Array
    readonly codes: (reader: PartReader, range: RowRange) => Promise<Uint8Array>
  },
): PackedMatrix {
  const { parts, names, groupOf, codes } = options
  const { rows, columns, bits, groups, zeroPoint, scale } = parts
  const plan = planBlocks(groupOf)
  const decode = async (reader: PartReader, range: RowRange): Promise<GroupedRows> => ({
    rows: range.rows,
    columns,
    groups,
    codes: await codes(reader, range),
    scales: await rowScales(reader, parts, range),
    zeroPoints: await rowZeroPoints(reader, parts, range),
  })
  return {
    name: `${module}.weight`,
    shape: [rows, columns],
    parts: [...names, scale.name, ...(zeroPoint === null ? [] : [zeroPoint.name])],
    content: {
      kind: 'codes',
      groupOf,
      blocks: plan && { plan, format: { bits, blockSize: plan.blockSize, symmetric: zeroPoint === null } },
      decode,
    },
  }
}

async function packedIntegers(parts: PartFinder, module: string, scheme: CompressedScheme): Promise<PackedMatrix> {
  const packed = parts.part(`${module}.weight_packed`, ['I32', 'U32'])
  const shapePart = parts.part(`${module}.weight_shape`, ['I64', 'I32'])
  const scale = parts.part(`${module}.weight_scale`, SCALE_DTYPES)
  const [rows, words] = matrixSizes(packed)
  const [statedRows, columns = 0] = decodeFloat32(await parts.read(shapePart.name), shapePart.dtype)
  const bits = ([4, 8] as const).find((each) => Math.ceil((columns * each) / 32) === words)
  if (statedRows !== rows || bits === undefined || columns < 1 || !Number.isInteger(columns))
    throw engineError('checkpoint/packed-part-value', {
      tensor: shapePart.name,
      found: `[${statedRows ?? 0}, ${columns}]`,
      expected: `the shape of ${words} words in ${rows} rows, with 4 or 8 bits`,
    })
  const candidates = scheme.groups.filter((group) => group.bits === bits && group.type === 'int')
  const even = groupsBy(scale, { rows, columns }, candidates)
  const zeroPoint = zeroPointOf(parts, module, { rows: Math.ceil((rows * bits) / 32), groups: even.groups, dtypes: ['I32', 'U32'] })
  const index = `${module}.weight_g_idx`
  const groupOf = parts.has(index)
    ? await listedGroups(parts, { name: index, columns, groups: even.groups, even: even.groupOf })
    : even.groupOf
  const rowBytes = words * 4
  return integerMatrix(module, {
    parts: { scale, zeroPoint, rows, columns, bits, groups: even.groups, shared: even.shared },
    names: [packed.name, shapePart.name, ...(parts.has(index) ? [index] : [])],
    groupOf,
    codes: async (reader, range) =>
      unpackRows(await reader.range(packed.name, range.firstRow * rowBytes, range.rows * rowBytes), { columns, bits, rowBytes }),
  })
}

function zeroPointOf(
  parts: PartFinder,
  module: string,
  expected: { readonly rows: number; readonly groups: number; readonly dtypes: readonly Dtype[] },
): TensorInfo | null {
  const name = `${module}.weight_zero_point`
  if (!parts.has(name)) return null
  const part = parts.part(name, expected.dtypes)
  const count = part.shape.reduce((product, size) => product * size, 1)
  if (count !== expected.rows * expected.groups || part.shape[0] !== expected.rows) requireShape(part, [expected.rows, expected.groups])
  return part
}

/** Groups by channel; a list of -1 only means that channels lie in order. */
async function listedGroups(
  parts: PartFinder,
  options: { readonly name: string; readonly columns: number; readonly groups: number; readonly even: Int32Array },
): Promise<Int32Array> {
  const part = parts.part(options.name, ['I32', 'I64'])
  requireShape(part, [options.columns])
  const listed = Int32Array.from(decodeFloat32(await parts.read(options.name), part.dtype))
  if (listed.every((group) => group === -1)) return options.even
  const wrong = listed.find((group) => group < 0 || group >= options.groups)
  if (wrong !== undefined)
    throw engineError('checkpoint/packed-part-value', {
      tensor: options.name,
      found: wrong,
      expected: `a group from 0 to ${options.groups - 1}`,
    })
  return listed
}

/** Codes of rows that are packed from the lowest bits of little-endian words up, as MatMulNBits has them too. */
function unpackRows(
  bytes: Uint8Array,
  { columns, bits, rowBytes }: { readonly columns: number; readonly bits: 4 | 8; readonly rowBytes: number },
): Uint8Array {
  const rows = bytes.length / rowBytes
  const codes = new Uint8Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const byte = bytes[row * rowBytes + (bits === 8 ? column : column >> 1)] ?? 0
      codes[row * columns + column] = bits === 8 ? byte : (byte >> (4 * (column & 1))) & 15
    }
  }
  return codes
}

/** int8 as it is: signed, around zero. */
function plainIntegers(parts: PartFinder, module: string, scheme: CompressedScheme): PackedMatrix {
  const weight = parts.part(`${module}.weight`, ['I8'])
  const scale = parts.part(`${module}.weight_scale`, SCALE_DTYPES)
  const [rows, columns] = matrixSizes(weight)
  const { groupOf, groups, shared } = groupsBy(scale, { rows, columns }, scheme.groups)
  const zeroPoint = zeroPointOf(parts, module, { rows: shared ? 1 : rows, groups, dtypes: ['I8'] })
  return integerMatrix(module, {
    parts: { scale, zeroPoint, rows, columns, bits: 8, groups, shared },
    names: [weight.name],
    groupOf,
    codes: async (reader, range) => shifted(await reader.range(weight.name, range.firstRow * columns, range.rows * columns)),
  })
}

/** Signed bytes as unsigned ones around 128. */
function shifted(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte) => byte ^ MIDDLE)
}

/** E2M1 pairs under a scale for 16 (E4M3, divided by one for the matrix) or for 32 (a power of two). */
function packedFloats(parts: PartFinder, module: string): PackedMatrix {
  const packed = parts.part(`${module}.weight_packed`, ['U8'])
  const scale = parts.part(`${module}.weight_scale`, ['F8_E4M3', 'U8', 'F8_E8M0'])
  const [rows, pairs] = matrixSizes(packed)
  const columns = 2 * pairs
  const groupSize = scale.dtype === 'F8_E4M3' ? 16 : 32
  const groups = Math.ceil(columns / groupSize)
  requireShape(scale, [rows, groups])
  const whole = scale.dtype === 'F8_E4M3' ? parts.part(`${module}.weight_global_scale`, ['F32']) : null
  const groupOf = evenGroups(columns, groupSize)
  const plan = planBlocks(groupOf)
  return {
    name: `${module}.weight`,
    shape: [rows, columns],
    parts: [packed.name, scale.name, ...(whole === null ? [] : [whole.name])],
    content: {
      kind: 'codes',
      groupOf,
      blocks: plan && { plan, format: { bits: 8, blockSize: plan.blockSize, symmetric: true } },
      decode: async (reader, range) => {
        const bytes = await reader.range(scale.name, range.firstRow * groups, range.rows * groups)
        const divisor = whole === null ? 1 : (decodeFloat32(await reader.whole(whole.name), 'F32')[0] ?? NaN)
        const scales =
          whole === null ? halvedPowersOfTwo(bytes) : decodeFloat32(bytes, 'F8_E4M3').map((value) => Math.fround(value / divisor) / 2)
        const codes = doubledFourBitFloats(await reader.range(packed.name, range.firstRow * pairs, range.rows * pairs))
        return { rows: range.rows, columns, groups, codes, scales, zeroPoints: new Uint8Array(range.rows * groups).fill(MIDDLE) }
      },
    },
  }
}

// GPTQ and AWQ matrices: 32-bit words that hold 4- or 8-bit codes, stored transposed. Follows AutoGPTQ 0.7 and GPTQModel (v1 and v2), and AutoAWQ's GEMM layout.
import { engineError } from '../../errors'
import { decodeFloat32 } from '../../tensor/decode'
import { evenGroups, planBlocks, type GroupedRows } from '../../tensor/packed/grouped-rows'
import type { Dtype } from '../../tensor/dtype'
import type { TensorInfo } from '../types'
import { badShape, matrixSizes, requireShape, type PackedMatrix, type PartFinder, type PartReader, type RowRange } from './packed-matrix'
import type { AwqScheme, GptqScheme, GroupSize } from './scheme'

const SCALE_DTYPES: readonly Dtype[] = ['F16', 'BF16', 'F32']
const WORD_BITS = 32
/** Where AWQ puts each of the eight columns of a word, in nibbles: columns 0, 2, 4, 6, 1, 3, 5, 7 follow each other. */
const AWQ_NIBBLES = [0, 4, 1, 5, 2, 6, 3, 7] as const

interface WordParts {
  readonly module: string
  readonly qweight: TensorInfo
  readonly qzeros: TensorInfo
  readonly scales: TensorInfo
}

function wordParts(parts: PartFinder, module: string): WordParts {
  const words: readonly Dtype[] = ['I32', 'U32']
  return {
    module,
    qweight: parts.part(`${module}.qweight`, words),
    qzeros: parts.part(`${module}.qzeros`, words),
    scales: parts.part(`${module}.scales`, SCALE_DTYPES),
  }
}

/** Names of the modules that have the part. */
function modulesWith(parts: PartFinder, ending: string): readonly string[] {
  return parts.names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length))
}

/** Words as their file has them; bytes that begin between words are copied. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, byteLength } = byteOffsetIsWhole(bytes) ? bytes : bytes.slice()
  return new Int32Array(buffer, byteOffset, Math.floor(byteLength / Int32Array.BYTES_PER_ELEMENT))
}

function byteOffsetIsWhole({ byteOffset }: Uint8Array): boolean {
  return byteOffset % Int32Array.BYTES_PER_ELEMENT === 0
}

/** Scales of `rows` columns from `first` on of [groups, columns], as [rows, groups]. */
function scalesOf(values: Float32Array, at: { readonly columns: number; readonly groups: number } & RowRange): Float32Array {
  const scales = new Float32Array(at.rows * at.groups)
  for (let group = 0; group < at.groups; group++)
    for (let row = 0; row < at.rows; row++) scales[row * at.groups + group] = values[group * at.columns + at.firstRow + row] ?? 0
  return scales
}

function groupsOf(columns: number, groupSize: GroupSize): Int32Array {
  return evenGroups(columns, groupSize === 'row' ? columns : groupSize)
}

/** The group of every input channel as `g_idx` lists it. Throws "checkpoint/packed-part-value" for one that is none. */
async function channelGroups(
  parts: PartFinder,
  { name, columns, groups }: { readonly name: string; readonly columns: number; readonly groups: number },
): Promise<Int32Array> {
  const part = parts.part(name, ['I32', 'U32'])
  requireShape(part, [columns])
  const indices = wordsOf(await parts.read(name))
  const wrong = indices.find((group) => group < 0 || group >= groups)
  if (wrong !== undefined)
    throw engineError('checkpoint/packed-part-value', { tensor: name, found: wrong, expected: `a group from 0 to ${groups - 1}` })
  return indices
}

/** Bits of a module's codes, by the words that hold its zero points. Throws "checkpoint/packed-part-shape". */
function bitsByShape(qzeros: TensorInfo, rows: number): GptqScheme['bits'] {
  const [, words = 0] = qzeros.shape
  const bits = ([4, 8] as const).find((each) => words * WORD_BITS === rows * each)
  if (bits === undefined) throw badShape(qzeros, `zero points of ${rows} rows with 4 or 8 bits`)
  return bits
}

/** Columns of a group, by the number of scales: what config.json names where it fits, else equal parts. */
function groupSizeByShape(scales: TensorInfo, sizes: { readonly columns: number; readonly named: GroupSize }): GroupSize {
  const { columns, named } = sizes
  const [groups = 0] = scales.shape
  if (groups <= 1) return 'row'
  return named !== 'row' && Math.ceil(columns / named) === groups ? named : Math.ceil(columns / groups)
}

/** Finds the matrices of a GPTQ checkpoint. With `desc_act` the input channels of a group lie apart: the block plan then says in which order they are taken. */
export async function findGptq(parts: PartFinder, scheme: GptqScheme): Promise<readonly PackedMatrix[]> {
  const found: PackedMatrix[] = []
  for (const module of modulesWith(parts, '.qweight')) {
    const { qweight, qzeros, scales } = wordParts(parts, module)
    const [wordRows, rows] = matrixSizes(qweight)
    const bits = scheme.mixed ? bitsByShape(qzeros, rows) : scheme.bits
    const perWord = WORD_BITS / bits
    const columns = wordRows * perWord
    const even = groupsOf(columns, scheme.mixed ? groupSizeByShape(scales, { columns, named: scheme.groupSize }) : scheme.groupSize)
    const groups = (even.at(-1) ?? 0) + 1
    if (rows % perWord !== 0) throw badShape(qweight, `a multiple of ${perWord} columns`)
    requireShape(scales, [groups, rows])
    requireShape(qzeros, [groups, rows / perWord])
    const index = `${module}.g_idx`
    const groupOf = parts.has(index) ? await channelGroups(parts, { name: index, columns, groups }) : even
    const plan = planBlocks(groupOf)
    const names = [qweight.name, qzeros.name, scales.name]
    const sizes = { rows, columns, groups, scaleDtype: scales.dtype }
    found.push({
      name: `${module}.weight`,
      shape: [rows, columns],
      parts: parts.has(index) ? [...names, index] : names,
      content: {
        kind: 'codes',
        groupOf,
        blocks: plan && { plan, format: { bits, blockSize: plan.blockSize, symmetric: false } },
        decode: (reader, range) => decodeGptq(reader, { module, range, sizes, bits, version: scheme.version }),
      },
    })
  }
  return found
}

interface WordSizes {
  readonly rows: number
  readonly columns: number
  readonly groups: number
  readonly scaleDtype: Dtype
}

async function decodeGptq(
  reader: PartReader,
  options: { readonly module: string; readonly range: RowRange; readonly sizes: WordSizes } & Pick<GptqScheme, 'bits' | 'version'>,
): Promise<GroupedRows> {
  const { module, range, sizes, bits, version } = options
  const { columns, groups } = sizes
  const perWord = WORD_BITS / bits
  const mask = 2 ** bits - 1
  const qweight = wordsOf(await reader.whole(`${module}.qweight`))
  const codes = new Uint8Array(range.rows * columns)
  for (let wordRow = 0; wordRow * perWord < columns; wordRow++) {
    for (let row = 0; row < range.rows; row++) {
      const word = qweight[wordRow * sizes.rows + range.firstRow + row] ?? 0
      const at = row * columns + wordRow * perWord
      for (let i = 0; i < perWord; i++) codes[at + i] = (word >>> (bits * i)) & mask
    }
  }
  // Version 1 stores every zero point minus one, subtracted from whole words: adding to whole words undoes it, borrows included.
  const one = version === 2 ? 0 : bits === 4 ? 0x11111111 : 0x01010101
  const qzeros = wordsOf(await reader.whole(`${module}.qzeros`))
  const zeroPoints = new Uint8Array(range.rows * groups)
  for (let row = 0; row < range.rows; row++) {
    const column = range.firstRow + row
    for (let group = 0; group < groups; group++) {
      const word = (qzeros[group * (sizes.rows / perWord) + Math.floor(column / perWord)] ?? 0) + one
      zeroPoints[row * groups + group] = (word >>> (bits * (column % perWord))) & mask
    }
  }
  const values = decodeFloat32(await reader.whole(`${module}.scales`), sizes.scaleDtype)
  return { ...range, columns, groups, codes, zeroPoints, scales: scalesOf(values, { ...range, columns: sizes.rows, groups }) }
}

/** Finds the matrices of an AWQ checkpoint in its GEMM layout. */
export function findAwq(parts: PartFinder, scheme: AwqScheme): readonly PackedMatrix[] {
  return modulesWith(parts, '.qweight').map((module): PackedMatrix => {
    const { qweight, qzeros, scales } = wordParts(parts, module)
    const [columns, words] = matrixSizes(qweight)
    const rows = words * AWQ_NIBBLES.length
    const groupOf = groupsOf(columns, scheme.groupSize)
    const groups = (groupOf.at(-1) ?? 0) + 1
    requireShape(scales, [groups, rows])
    requireShape(qzeros, [groups, words])
    const plan = planBlocks(groupOf)
    const sizes = { rows, columns, groups, scaleDtype: scales.dtype }
    return {
      name: `${module}.weight`,
      shape: [rows, columns],
      parts: [qweight.name, qzeros.name, scales.name],
      content: {
        kind: 'codes',
        groupOf,
        blocks: plan && { plan, format: { bits: 4, blockSize: plan.blockSize, symmetric: false } },
        decode: (reader, range) => decodeAwq(reader, { module, range, sizes }),
      },
    }
  })
}

/** Nibbles of one column of words, from row 0 on, into `target` at `at`, `step` apart. */
function takeNibbles(
  words: Int32Array,
  from: { readonly column: number; readonly rowWords: number; readonly count: number },
  target: Uint8Array,
  at: number,
): void {
  const shift = 4 * (AWQ_NIBBLES[from.column % AWQ_NIBBLES.length] ?? 0)
  const word = Math.floor(from.column / AWQ_NIBBLES.length)
  for (let i = 0; i < from.count; i++) target[at + i] = ((words[i * from.rowWords + word] ?? 0) >>> shift) & 15
}

async function decodeAwq(
  reader: PartReader,
  { module, range, sizes }: { readonly module: string; readonly range: RowRange; readonly sizes: WordSizes },
): Promise<GroupedRows> {
  const { columns, groups } = sizes
  const rowWords = sizes.rows / AWQ_NIBBLES.length
  const qweight = wordsOf(await reader.whole(`${module}.qweight`))
  const qzeros = wordsOf(await reader.whole(`${module}.qzeros`))
  const codes = new Uint8Array(range.rows * columns)
  const zeroPoints = new Uint8Array(range.rows * groups)
  for (let row = 0; row < range.rows; row++) {
    const column = range.firstRow + row
    takeNibbles(qweight, { column, rowWords, count: columns }, codes, row * columns)
    takeNibbles(qzeros, { column, rowWords, count: groups }, zeroPoints, row * groups)
  }
  const values = decodeFloat32(await reader.whole(`${module}.scales`), sizes.scaleDtype)
  return { ...range, columns, groups, codes, zeroPoints, scales: scalesOf(values, { ...range, columns: sizes.rows, groups }) }
}

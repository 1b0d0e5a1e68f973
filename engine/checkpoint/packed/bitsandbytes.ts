// bitsandbytes matrices: int8 with a scale a row (SCB), and four-bit codebooks (nf4, fp4) whose scales may be quantized themselves. Follows bitsandbytes 0.48 (functional.py, QuantState).
import { isJsonObject, parseJson, type JsonObject } from '../../bytes/json'
import { EngineError, engineError } from '../../errors'
import { decodeFloat32 } from '../../tensor/decode'
import type { Dtype } from '../../tensor/dtype'
import { planBlocks } from '../../tensor/packed/grouped-rows'
import type { TensorInfo } from '../types'
import { MIDDLE } from './four-bit-floats'
import { matrixSizes, requireShape, type PackedMatrix, type PartFinder, type PartReader, type RowRange } from './packed-matrix'

/** bitsandbytes' int8 codes reach from -127 to 127. */
const INT8_STEPS = 127
/** A state is a few hundred bytes of JSON. */
const MAX_STATE_BYTES = 64 * 1024
/** Blocks in use have 64 to 4096 values. */
const MAX_BLOCK_VALUES = 1 << 20
const STATE = /^(.+)\.weight\.quant_state\.bitsandbytes__(nf4|fp4)$/
const STORAGE_DTYPES: readonly Dtype[] = ['U8', 'I8', 'F16', 'BF16', 'F32']

/** Finds the matrices of a bitsandbytes checkpoint. */
export async function findBitsandbytes(parts: PartFinder): Promise<readonly PackedMatrix[]> {
  const found: PackedMatrix[] = []
  for (const name of parts.names) {
    if (name.endsWith('.SCB')) found.push(await rowScaledInt8(parts, name.slice(0, -'.SCB'.length)))
    const module = STATE.exec(name)?.[1]
    if (module !== undefined) found.push(await codebookMatrix(parts, { module, state: name }))
  }
  return found
}

async function rowScaledInt8(parts: PartFinder, module: string): Promise<PackedMatrix> {
  const weight = parts.part(`${module}.weight`, ['I8'])
  const scale = parts.part(`${module}.SCB`, ['F32'])
  const layout = `${module}.weight_format`
  const [rows, columns] = matrixSizes(weight)
  requireShape(scale, [rows])
  if (parts.has(layout)) {
    const code = (await parts.read(parts.part(layout, ['U8', 'I8', 'I64']).name))[0]
    if (code !== 0)
      throw engineError('checkpoint/packed-part-value', { tensor: layout, found: code ?? 'nothing', expected: '0, row by row' })
  }
  const groupOf = new Int32Array(columns)
  const plan = planBlocks(groupOf)
  return {
    name: weight.name,
    shape: [rows, columns],
    parts: [weight.name, scale.name, ...(parts.has(layout) ? [layout] : [])],
    content: {
      kind: 'codes',
      groupOf,
      blocks: plan && { plan, format: { bits: 8, blockSize: plan.blockSize, symmetric: true } },
      decode: async (reader, range) => ({
        rows: range.rows,
        columns,
        groups: 1,
        codes: Uint8Array.from(await reader.range(weight.name, range.firstRow * columns, range.rows * columns), (byte) => byte ^ MIDDLE),
        scales: decodeFloat32(await reader.range(scale.name, range.firstRow * 4, range.rows * 4), 'F32').map((most) => most / INT8_STEPS),
        zeroPoints: new Uint8Array(range.rows).fill(MIDDLE),
      }),
    },
  }
}

/** What the state of a four-bit matrix says. */
interface CodebookState {
  readonly shape: readonly [number, number]
  readonly blockValues: number
  /** Of the scales, where they are quantized too. */
  readonly nested: { readonly blockValues: number; readonly offset: number } | null
}

async function readState(parts: PartFinder, name: string): Promise<CodebookState> {
  const part = parts.part(name, ['U8'])
  const wrong = (expected: string): Error =>
    engineError('checkpoint/packed-part-value', { tensor: name, found: `${part.sizeBytes} bytes`, expected })
  if (part.sizeBytes > MAX_STATE_BYTES) throw wrong(`at most ${MAX_STATE_BYTES} bytes of JSON`)
  const json = parseState(await parts.read(name), name)
  if (json === null) throw wrong('a JSON object')
  const sizes: readonly unknown[] = Array.isArray(json['shape']) ? json['shape'] : []
  const [rows, columns] = sizes.map((size) => (typeof size === 'number' && Number.isInteger(size) && size > 0 ? size : null))
  if (sizes.length !== 2 || typeof rows !== 'number' || typeof columns !== 'number') throw wrong('a shape of two whole numbers')
  const blockValues = blockSize(json['blocksize'])
  if (blockValues === null) throw wrong('a blocksize')
  const nestedValues = blockSize(json['nested_blocksize'])
  const offset = json['nested_offset']
  const nested = nestedValues !== null && typeof offset === 'number' ? { blockValues: nestedValues, offset } : null
  return { shape: [rows, columns], blockValues, nested }
}

function parseState(bytes: Uint8Array, name: string): JsonObject | null {
  try {
    const value = parseJson(bytes, name)
    return isJsonObject(value) ? value : null
  } catch (cause) {
    if (cause instanceof EngineError) return null
    throw cause
  }
}

function blockSize(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_BLOCK_VALUES ? value : null
}

interface CodebookParts extends CodebookState {
  readonly weight: TensorInfo
  readonly absmax: TensorInfo
  readonly codebook: TensorInfo
  readonly nestedAbsmax: TensorInfo | null
  readonly nestedCodebook: TensorInfo | null
}

async function codebookMatrix(parts: PartFinder, names: { readonly module: string; readonly state: string }): Promise<PackedMatrix> {
  const state = await readState(parts, names.state)
  const base = `${names.module}.weight`
  const weight = parts.part(base, STORAGE_DTYPES)
  const [rows, columns] = state.shape
  const values = rows * columns
  const blocks = Math.ceil(values / state.blockValues)
  const absmax = parts.part(`${base}.absmax`, state.nested === null ? ['F32'] : ['U8'])
  const codebook = parts.part(`${base}.quant_map`, ['F32'])
  requireShape(absmax, [blocks])
  requireShape(codebook, [16])
  if (weight.sizeBytes !== Math.ceil(values / 2))
    throw engineError('checkpoint/packed-part-value', {
      tensor: base,
      found: `${weight.sizeBytes} bytes`,
      expected: `half a byte for each of ${values} values`,
    })
  const nestedAbsmax = state.nested === null ? null : parts.part(`${base}.nested_absmax`, ['F32'])
  const nestedCodebook = state.nested === null ? null : parts.part(`${base}.nested_quant_map`, ['F32'])
  if (nestedAbsmax !== null) requireShape(nestedAbsmax, [Math.ceil(blocks / (state.nested?.blockValues ?? 1))])
  if (nestedCodebook !== null) requireShape(nestedCodebook, [256])
  const all = { ...state, weight, absmax, codebook, nestedAbsmax, nestedCodebook }
  return {
    name: base,
    shape: [rows, columns],
    parts: [weight, absmax, codebook, nestedAbsmax, nestedCodebook]
      .flatMap((part) => (part === null ? [] : [part.name]))
      .concat(names.state),
    content: { kind: 'values', decode: (reader, range) => decodeCodebook(reader, all, range) },
  }
}

/** Scales of all blocks, F32. Quantized ones: code * scale of their own block + offset, each step rounded to F32. */
async function blockScales(reader: PartReader, parts: CodebookParts): Promise<Float32Array> {
  const { nested, absmax, nestedAbsmax, nestedCodebook } = parts
  const bytes = await reader.whole(absmax.name)
  if (nested === null || nestedAbsmax === null || nestedCodebook === null) return decodeFloat32(bytes, 'F32')
  const codes = decodeFloat32(await reader.whole(nestedCodebook.name), 'F32')
  const scales = decodeFloat32(await reader.whole(nestedAbsmax.name), 'F32')
  const { fround } = Math
  return Float32Array.from(
    bytes,
    (byte, block) => fround((codes[byte] ?? NaN) * (scales[Math.floor(block / nested.blockValues)] ?? NaN)) + fround(nested.offset),
  )
}

async function decodeCodebook(reader: PartReader, parts: CodebookParts, { firstRow, rows }: RowRange): Promise<Float32Array> {
  const { weight, codebook, blockValues } = parts
  const columns = parts.shape[1]
  const scales = await blockScales(reader, parts)
  const codes = decodeFloat32(await reader.whole(codebook.name), 'F32')
  const first = firstRow * columns
  const count = rows * columns
  const firstByte = first >> 1
  const bytes = await reader.range(weight.name, firstByte, Math.ceil((first + count) / 2) - firstByte)
  const values = new Float32Array(count)
  for (let index = 0; index < count; index++) {
    const at = first + index
    const byte = bytes[(at >> 1) - firstByte] ?? 0
    // The first value of a byte is in its high half.
    const code = at % 2 === 0 ? byte >> 4 : byte & 15
    values[index] = (codes[code] ?? NaN) * (scales[Math.floor(at / blockValues)] ?? NaN)
  }
  return values
}

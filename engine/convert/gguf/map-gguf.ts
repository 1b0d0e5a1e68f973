// A decoder's checkpoint as llama.cpp wants it: names, rotary order, turned matrices, norms, metadata.
import type { Checkpoint, TensorInfo } from '../../checkpoint/types'
import type { GgufEntries } from '../../checkpoint/writers/gguf-entries'
import type { DecoderConfig } from '../../config/decoder-config'
import { readDecoderConfig } from '../../config/read-config'
import { engineError } from '../../errors'
import { note } from '../../notes'
import type { JsonValue } from '../../bytes/json'
import { decodeFloat32 } from '../../tensor/decode'
import type { DerivedTensor } from '../derived-checkpoint'
import { deriveCheckpoint } from '../derived-checkpoint'
import { reorderRows, rowsOf, transposeRows, type Rows } from '../rows'
import { checkExpressed } from './check-expressed'
import { configEntries, ropeFactors } from './config-entries'
import type { LeftBehind } from '../types'
import { GGUF_DROPPED, GGUF_FAMILIES, ggufName, type GgufFamily } from './tensor-names'
import { tokenizerEntries } from './tokenizer-entries'

/** What to write: tensors by what they are made of, their names, and the metadata for weights of a dtype. */
export interface GgufMapping {
  readonly checkpoint: Checkpoint
  readonly names: ReadonlyMap<string, string>
  readonly dropped: readonly LeftBehind[]
  readonly entries: (mainDtype: string) => GgufEntries
}

/** More names than this in one message help nobody. */
const MAX_NAMED = 8

/** Halves (i, i + d/2) become neighbours (2i, 2i + 1). */
function toNeighbours(rows: Rows, headDim: number): Rows {
  const half = headDim / 2
  return reorderRows(rows, { groupRows: headDim, sourceRow: (row) => (row % 2 === 0 ? row / 2 : half + (row - 1) / 2) })
}

/** A norm's weights as F32 with one added. */
function plusOne(rows: Rows, tensor: TensorInfo): Rows {
  const sourceBytes = rows.rowBytes
  return {
    count: rows.count,
    rowBytes: 4,
    read: async (range) => {
      const values = decodeFloat32(await rows.read(range), tensor.dtype).map((value) => value + 1)
      if (values.length !== range.count) throw new RangeError(`A row of ${sourceBytes} bytes is no single value.`)
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    },
  }
}

function derive(
  checkpoint: Checkpoint,
  tensor: TensorInfo,
  options: { readonly family: GgufFamily; readonly headDim: number; readonly standard: string },
): DerivedTensor {
  const { family, headDim, standard: name } = options
  const { dtype, shape, file } = tensor
  const rows = rowsOf(checkpoint, tensor)
  const made = (change: Rows, changedShape: readonly number[] = shape): DerivedTensor => ({
    kind: 'made',
    rows: change,
    dtype,
    shape: changedShape,
    file,
  })
  if (family.interleaves && /\.(q|k)_proj\.(weight|bias)$/.test(name)) return made(toNeighbours(rows, headDim))
  if (family.transposed.some((module) => name.endsWith(`${module}.weight`))) return made(transposeRows(rows, dtype), shape.toReversed())
  if (family.normPlusOne && /norm\.weight$/.test(name)) return { kind: 'made', rows: plusOne(rows, tensor), dtype: 'F32', shape, file }
  return { kind: 'same', checkpoint, tensor }
}

/** Architectures of llama.cpp without windows compute the same as long as no window is full: so far the file's context may reach. */
function expressibleContext({ layers, maxPositionEmbeddings }: DecoderConfig, { windows }: GgufFamily): number {
  if (windows) return maxPositionEmbeddings
  return Math.min(maxPositionEmbeddings, ...layers.flatMap(({ window }) => (window === null ? [] : [window])))
}

function factorTensor(factors: Float32Array, file: string): DerivedTensor {
  const bytes = new Uint8Array(factors.buffer)
  const rows: Rows = {
    count: factors.length,
    rowBytes: 4,
    read: ({ first, count }) => Promise.resolve(bytes.slice(4 * first, 4 * (first + count))),
  }
  return { kind: 'made', rows, dtype: 'F32', shape: [factors.length], file }
}

/**
 * Maps a checkpoint with Transformers' names; the mapping's checkpoint takes over the source. `json` is its config.json, `folder` where its tokenizer lies.
 * Throws "convert/gguf-family", "convert/unmapped-tensors", "convert/gguf-not-expressible" and what reading config and tokenizer throws.
 */
export async function mapGguf(
  checkpoint: Checkpoint,
  options: {
    readonly json: JsonValue
    readonly folder: string
    readonly name: string
    readonly resultNames: ReadonlyMap<string, string> | null
  },
): Promise<GgufMapping> {
  const { json, folder, name, resultNames } = options
  const config = readDecoderConfig(json)
  const family = GGUF_FAMILIES[config.modelType]
  if (!family) throw engineError('convert/gguf-family', { modelType: config.modelType, available: Object.keys(GGUF_FAMILIES) })
  const derived = new Map<string, DerivedTensor>()
  const names = new Map<string, string>()
  const dropped: LeftBehind[] = []
  const unmapped: string[] = []
  for (const tensor of checkpoint.tensors.values()) {
    const standard = resultNames?.get(tensor.name) ?? tensor.name
    const target = ggufName(standard, family)
    if (GGUF_DROPPED.test(standard)) dropped.push({ name: tensor.name, why: 'table' })
    // A tied head has no bytes of its own in GGUF; llama.cpp takes the embedding.
    else if (config.tieWordEmbeddings && target === 'output.weight') dropped.push({ name: tensor.name, why: 'tied' })
    else if (target === null) unmapped.push(tensor.name)
    else {
      derived.set(tensor.name, derive(checkpoint, tensor, { family, headDim: config.headDim, standard }))
      names.set(tensor.name, target)
    }
  }
  if (unmapped.length > 0)
    throw engineError('convert/unmapped-tensors', {
      family: family.architecture,
      count: unmapped.length,
      names: unmapped.slice(0, MAX_NAMED),
    })
  for (const [target, factors] of ropeFactors(config)) {
    const from = `factors of the rotary frequencies (${target})`
    derived.set(from, factorTensor(factors, checkpoint.files[0]?.path ?? ''))
    names.set(from, target)
  }
  const contextTokens = expressibleContext(config, family)
  const stated = { ...config, maxPositionEmbeddings: contextTokens }
  const entriesOf = (mainDtype: string): GgufEntries => configEntries(stated, { architecture: family.architecture, name, mainDtype })
  const mapped = deriveCheckpoint([checkpoint], derived)
  await checkExpressed(config, { entries: entriesOf('F32'), checkpoint: mapped, names, contextTokens })
  const tokenizer = await tokenizerEntries(folder, { vocabSize: config.vocabSize })
  const shortened = contextTokens < config.maxPositionEmbeddings ? [note('convert/gguf-context-of-window', { contextTokens })] : []
  return {
    checkpoint: { ...mapped, notes: [...mapped.notes, ...shortened] },
    names,
    dropped,
    entries: (mainDtype) => [...entriesOf(mainDtype), ...tokenizer],
  }
}

// Looks into checkpoints for the window and remembers the last ones, so that scrolling through a tree does not read headers again.
import { stat } from 'node:fs/promises'
import { basename, dirname, relative, resolve, sep } from 'node:path'
import type { JsonObject } from '../../../../engine/bytes/json'
import { openCheckpoint } from '../../../../engine/checkpoint/open'
import { WRITABLE_FORMATS } from '../../../../engine/checkpoint/writers/formats'
import type { TensorInfo } from '../../../../engine/checkpoint/types'
import type { DecoderConfig } from '../../../../engine/config/decoder-config'
import { readConfigJson, readDecoderConfig } from '../../../../engine/config/read-config'
import { EngineError } from '../../../../engine/errors'
import { supportedModelTypes } from '../../../../engine/config/families/table'
import { describeModelDirectory } from '../../../../engine/inspect/describe-model'
import { inspectCheckpoint, type Inspection } from '../../../../engine/inspect/inspect-checkpoint'
import { tensorHistogram } from '../../../../engine/inspect/tensor-histogram'
import { tensorStatistics } from '../../../../engine/inspect/tensor-statistics'
import type { CheckpointSummary, OutputChoice, TensorRows, TensorStatistics } from '../../../../preload/contract'
import type { RowsParams, WorkbenchMethods } from '../../workbench-protocol'
import { plainDetails } from '../plain-details'
import { buildShardMap } from './shard-map'
import { buildTensorTree, visibleRows, type TensorGroup, type TreeTensor, type VisibleRows } from './tensor-tree'

/** Trees kept: the one that is shown, and the one before for the way back. */
const MAX_KEPT = 2
/** Of a metadata value; some files keep whole documents there. */
const MAX_METADATA_CHARS = 2_000
const MAX_METADATA_ENTRIES = 300
/** Of a config.json; those of today have a few thousand. */
const MAX_CONFIG_CHARS = 200_000
const MAX_NOTES = 100
/** Bars of a histogram: as wide as they can be told apart in a side column. */
const HISTOGRAM_BINS = 64

interface Opened {
  readonly signature: string
  readonly tree: TensorGroup
  readonly visible: Map<string, VisibleRows>
}

/** Answers everything about checkpoints. */
export interface Inspections {
  readonly inspect: (path: string, signal: AbortSignal) => Promise<CheckpointSummary>
  readonly rows: (params: RowsParams, signal: AbortSignal) => Promise<TensorRows>
  readonly statistics: (
    params: WorkbenchMethods['statistics']['params'],
    options: { readonly onProgress: (doneBytes: number, totalBytes: number) => void; readonly signal: AbortSignal },
  ) => Promise<TensorStatistics>
}

/** Makes an empty memory. */
export function createInspections(): Inspections {
  const kept = new Map<string, Opened>()

  function keep(path: string, signature: string, inspection: Inspection): Opened {
    const opened = { signature, tree: buildTensorTree(treeTensors(inspection)), visible: new Map<string, VisibleRows>() }
    kept.delete(path)
    kept.set(path, opened)
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_KEPT) break
      kept.delete(oldest)
    }
    return opened
  }

  async function open(path: string, signal: AbortSignal): Promise<Opened> {
    const absolute = resolve(path)
    const signature = await signatureOf(absolute)
    const known = kept.get(absolute)
    if (known?.signature === signature) return known
    return keep(absolute, signature, await inspectCheckpoint(absolute, { supportedModelTypes, signal }))
  }

  return {
    inspect: async (path, signal) => {
      const absolute = resolve(path)
      const signature = await signatureOf(absolute)
      const inspection = await inspectCheckpoint(absolute, { supportedModelTypes, signal })
      keep(absolute, signature, inspection)
      return await summarize(inspection, signal)
    },
    rows: async ({ path, query, open: isOpen, toggled, offset, limit }, signal) => {
      const { tree, visible } = await open(path, signal)
      const key = JSON.stringify([query, isOpen, toggled])
      let found = visible.get(key)
      if (found === undefined) {
        // Only the present view is scrolled through.
        visible.clear()
        found = visibleRows(tree, { query, open: isOpen, toggled: new Set(toggled) })
        visible.set(key, found)
      }
      const { rows, tensors } = found
      return { totalRows: rows.length, tensors, offset, rows: rows.slice(offset, offset + limit) }
    },
    statistics: async ({ path, name }, { onProgress, signal }) => {
      using checkpoint = await openCheckpoint(resolve(path), { signal })
      const totalBytes = checkpoint.tensors.get(name)?.sizeBytes ?? 0
      // The first pass finds the range, the second counts: each is half of the way.
      onProgress(0, totalBytes)
      const statistics = await tensorStatistics(checkpoint, { name, signal })
      onProgress(totalBytes / 2, totalBytes)
      const onBytes = (doneBytes: number): void => onProgress((totalBytes + doneBytes) / 2, totalBytes)
      return { ...statistics, histogram: await tensorHistogram(checkpoint, { statistics, bins: HISTOGRAM_BINS, onBytes, signal }) }
    },
  }
}

async function signatureOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  return found === null ? 'absent' : `${found.size} ${found.mtimeMs} ${found.ino}`
}

function blockType(tensor: TensorInfo): string | null {
  return tensor.storage === 'computed' ? (tensor.block?.type ?? null) : null
}

function treeTensors({ path, tensors }: Inspection): readonly TreeTensor[] {
  return tensors.map((tensor) => {
    const { name, dtype, shape, file, sizeBytes } = tensor
    return { name, dtype, block: blockType(tensor), shape, file: nameWithin(path, file), sizeBytes }
  })
}

/** Name of a file below `path`; the last part of its own where it lies elsewhere, as the Hugging Face cache's do. */
function nameWithin(path: string, file: string): string {
  const name = relative(path, file)
  return name === '' || name.startsWith('..') ? basename(file) : name.split(sep).join('/')
}

async function summarize(inspection: Inspection, signal: AbortSignal): Promise<CheckpointSummary> {
  const { path, format, files, metadata, tensors, parameterCount, weightBytes, tokenizer } = inspection
  const isFolder = (await stat(path)).isDirectory()
  const folder = isFolder ? path : dirname(path)
  const { json, decoder } = await configOf(folder, signal)
  const model = isFolder || json !== null ? await describe(folder, signal) : null
  const named = files.map((file) => ({ ...file, name: nameWithin(path, file.path) }))
  return {
    path,
    name: basename(path),
    kind: isFolder ? 'folder' : 'file',
    format,
    files: named.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    fileBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    tensorCount: tensors.length,
    parameterCount,
    weightBytes,
    dtypes: countDtypes(tensors),
    modelType: typeof json?.['model_type'] === 'string' ? json['model_type'] : null,
    facts: decoder === null ? [] : decoderFacts(decoder),
    config: json === null ? null : JSON.stringify(json, null, 2).slice(0, MAX_CONFIG_CHARS),
    tokenizer: tokenizer ?? null,
    metadata: Object.entries(metadata)
      .slice(0, MAX_METADATA_ENTRIES)
      .map(([name, value]) => ({ name, value: value.length > MAX_METADATA_CHARS ? `${value.slice(0, MAX_METADATA_CHARS)}…` : value })),
    notes: inspection.notes.slice(0, MAX_NOTES),
    model,
    aroundPath: !isFolder && model?.state === 'ready' ? folder : null,
    shardMap: buildShardMap(named, tensors),
    outputs: outputChoices(),
  }
}

/** The configuration beside the weights; what is wrong with a folder's is among the inspection's remarks. */
async function configOf(
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly json: JsonObject | null; readonly decoder: DecoderConfig | null }> {
  let json: JsonObject | null = null
  try {
    json = await readConfigJson(folder, { signal })
    return { json, decoder: readDecoderConfig(json, { path: `${folder}${sep}config.json`, supportedModelTypes }) }
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'runtime/aborted') throw error
    return { json, decoder: null }
  }
}

async function describe(folder: string, signal: AbortSignal): Promise<CheckpointSummary['model']> {
  const { path, state, error } = await describeModelDirectory(folder, { supportedModelTypes, signal })
  return { path, state, problem: error && { code: error.code, message: error.message, details: plainDetails(error.details) } }
}

function countDtypes(tensors: readonly TensorInfo[]): CheckpointSummary['dtypes'] {
  const counts = new Map<string, { tensors: number; sizeBytes: number }>()
  for (const tensor of tensors) {
    const name = blockType(tensor) ?? tensor.dtype
    const count = counts.get(name) ?? { tensors: 0, sizeBytes: 0 }
    counts.set(name, { tensors: count.tensors + 1, sizeBytes: count.sizeBytes + tensor.sizeBytes })
  }
  return [...counts].map(([dtype, count]) => ({ dtype, ...count })).toSorted((a, b) => b.sizeBytes - a.sizeBytes)
}

/** The numbers that a person compares models by, under the names that config.json gives them. */
function decoderFacts(config: DecoderConfig): CheckpointSummary['facts'] {
  const facts: readonly (readonly [string, number | boolean])[] = [
    ['hidden_size', config.hiddenSize],
    ['intermediate_size', config.intermediateSize],
    ['num_hidden_layers', config.numHiddenLayers],
    ['num_attention_heads', config.numAttentionHeads],
    ['num_key_value_heads', config.numKeyValueHeads],
    ['head_dim', config.headDim],
    ['vocab_size', config.vocabSize],
    ['max_position_embeddings', config.maxPositionEmbeddings],
    ['tie_word_embeddings', config.tieWordEmbeddings],
  ]
  return facts.map(([name, value]) => ({ name, value: String(value) }))
}

/** Every format that can be written. */
function outputChoices(): readonly OutputChoice[] {
  return Object.entries(WRITABLE_FORMATS).map(([id, { name, extensions, sharded }]) => ({ id, name, extensions, sharded }))
}

// Plans a conversion from headers alone: names, dtypes, files, sizes, what is lost and what is left out. Nothing is written.
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readJsonFile } from '../bytes/json'
import type { Checkpoint } from '../checkpoint/types'
import type { FileLayout, OutputTensor, StoredDtype } from '../checkpoint/writers/file-layout'
import { WRITABLE_FORMATS, type WritableFormat } from '../checkpoint/writers/formats'
import type { GgufEntries } from '../checkpoint/writers/gguf-entries'
import { shardIndexText, splitIntoShards } from '../checkpoint/writers/shards'
import { engineError } from '../errors'
import { tokenizerFolder } from '../inspect/model-files'
import type { Dtype } from '../tensor/dtype'
import { countElements, tensorSizeBytes } from '../tensor/shape'
import { isBlockTarget, isExactCast, storedBits, type AnyCastTarget } from './cast'
import { chooseCast } from './choose-dtype'
import { listCompanions, withoutThoseInPlace, type Companion } from './companions'
import { checkReplacements, findDestination, freeDiskBytes, type Destination } from './destination'
import { readJournal } from './journal'
import { groupTiedTensors, plainMetadata, resultNames } from './names'
import { onnxFiles } from './onnx/model-files'
import { openSource, type OpenedSource } from './source'
import { journalPath, stagedBytes } from './staging'
import type { ConversionPlan, ConversionRequest, DtypeChange, LeftBehind, PlannedTensor } from './types'
import { note, type Note } from '../notes'

/** Shards are this large unless asked otherwise: what Transformers wrote until version 5, and what every disk and hub takes. */
const DEFAULT_MAX_SHARD_BYTES = 5_000_000_000

/** A planned tensor and the cast it needs. */
type SourcedTensor = PlannedTensor & { readonly cast: AnyCastTarget | null }

/** One file to write. */
export interface PreparedFile {
  readonly file: string
  readonly layout: FileLayout
  /** In the order of the layout's slots. */
  readonly sources: readonly SourcedTensor[]
}

/** A file whose content is known beforehand. */
interface GeneratedFile {
  readonly file: string
  readonly content: string | Uint8Array
}

/** A plan with everything that running it needs. Dispose closes the source. */
export interface PreparedConversion extends Disposable {
  readonly plan: ConversionPlan
  readonly checkpoint: Checkpoint
  readonly destination: Destination
  readonly files: readonly PreparedFile[]
  /** Files that are made whole: configuration, and last the index of a sharded result. */
  readonly generated: readonly GeneratedFile[]
  readonly companions: readonly Companion[]
  /** The same for the same source, request and result: what an interrupted run left may be used again. */
  readonly fingerprint: string
  readonly sourceStates: readonly SourceState[]
  /** Looks again at what the result would replace, as the plan did; files that a `resumed` run had already named may be there. Throws "convert/output-is-input" and "convert/output-exists". */
  readonly findReplaced: (options: { readonly resumed: boolean }) => Promise<readonly string[]>
}

/** What a source file was when it was planned. */
export interface SourceState {
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/** Reads what a source file is now. */
export async function sourceState(path: string): Promise<SourceState> {
  const { size, mtimeMs } = await stat(path)
  return { path, sizeBytes: size, modifiedMs: mtimeMs }
}

function storedSizeBytes(dtype: StoredDtype, shape: readonly number[]): number {
  return isBlockTarget(dtype) ? ((countElements(shape) ?? 0) * storedBits(dtype)) / 8 : (tensorSizeBytes(dtype, shape) ?? 0)
}

function planTensors(
  { checkpoint, names: mapped }: OpenedSource,
  options: { readonly request: ConversionRequest; readonly format: WritableFormat; readonly untie: boolean },
): readonly SourcedTensor[] {
  const { request, format, untie } = options
  const groups = groupTiedTensors(checkpoint)
  const sourceNames = groups.flatMap((group) => group.names)
  const names = mapped ?? resultNames(sourceNames, request.stripPrefix)
  return groups.flatMap(({ tensor, names: tied }) => {
    const [first = tensor.name, ...others] = tied.map((name) => names.get(name) ?? name)
    const cast = chooseCast(tensor, { name: first, request, format })
    const dtype = cast ?? tensor.dtype
    const planned = {
      sourceName: tensor.name,
      name: first,
      aliases: others,
      sourceDtype: tensor.dtype,
      dtype,
      shape: tensor.shape,
      // Widening multiplies by at most 16, and the source's own size is an exact number far below 2^49.
      sizeBytes: storedSizeBytes(dtype, tensor.shape),
      cast,
    }
    if (!untie) return [planned]
    return [first, ...others].map((name) => ({ ...planned, name, aliases: [] }))
  })
}

/** The configuration and code of the custom architecture, which a mapped result is not of any more. */
function isReplacedByMapping(file: string): boolean {
  return file === 'config.json' || /^(configuration|modeling)_\w+\.py$/.test(file)
}

/** What a GGUF file holds itself; licence and description are what is left. */
function isInsideGguf(file: string): boolean {
  return !/^(LICEN[CS]E|NOTICE|COPYING|USE_POLICY|README)/i.test(file)
}

/** The dtype of most bytes. */
function mainDtype(tensors: readonly SourcedTensor[]): StoredDtype {
  const bytes = new Map<StoredDtype, number>()
  for (const { dtype, sizeBytes } of tensors) bytes.set(dtype, (bytes.get(dtype) ?? 0) + sizeBytes)
  return [...bytes].sort(([, left], [, right]) => right - left)[0]?.[0] ?? 'F32'
}

/** Whether the configuration says that names over the same bytes are different weights. */
async function saysUntied(companions: readonly Companion[], signal: AbortSignal | undefined): Promise<boolean> {
  const config = companions.find(({ file }) => file === 'config.json')
  if (!config) return false
  // A configuration that cannot be read is copied like any other file; it just says nothing here.
  const json = await readJsonFile(config.path, { maxBytes: MAX_CONFIG_JSON_BYTES, ...(signal && { signal }) }).catch(() => null)
  return json !== null && isJsonObject(json) && json['tie_word_embeddings'] === false
}

function listDtypeChanges(tensors: readonly SourcedTensor[], asked: boolean): readonly DtypeChange[] {
  const changes = new Map<string, { from: Dtype; to: AnyCastTarget; tensors: number }>()
  for (const { sourceDtype: from, cast: to } of tensors) {
    if (to === null) continue
    const change = changes.get(`${from} ${to}`) ?? { from, to, tensors: 0 }
    changes.set(`${from} ${to}`, { ...change, tensors: change.tensors + 1 })
  }
  return [...changes.values()].map((change) => ({
    ...change,
    exact: isExactCast(change.from, change.to),
    reason: asked ? ('asked' as const) : ('format' as const),
  }))
}

/** `format: pt` says how the library that reads the file should name its arrays; weights of other formats get it, as Transformers needs it. */
function outputMetadata(checkpoint: Checkpoint, format: WritableFormat): Readonly<Record<string, string>> {
  if (!format.keepsMetadata) return {}
  const metadata = plainMetadata(checkpoint)
  return checkpoint.format === 'safetensors' ? metadata : { ...metadata, format: 'pt' }
}

function listDropped(checkpoint: Checkpoint, format: WritableFormat): readonly LeftBehind[] {
  if (format.keepsMetadata) return []
  return Object.entries(plainMetadata(checkpoint))
    .filter(([key, value]) => key !== 'format' || value !== 'pt')
    .map(([name]) => ({ name, why: 'metadata' }))
}

function layOutFiles(
  tensors: readonly SourcedTensor[],
  options: {
    readonly request: ConversionRequest
    readonly format: WritableFormat
    readonly destination: Destination
    readonly metadata: Readonly<Record<string, string>>
    readonly ggufEntries?: GgufEntries
  },
): { readonly files: readonly PreparedFile[]; readonly index: GeneratedFile | null } {
  const { request, format, destination, metadata, ggufEntries } = options
  const byOutput = new Map<OutputTensor, SourcedTensor>(tensors.map((tensor) => [tensor, tensor]))
  const isSingle = destination.kind === 'file' || !format.sharded
  const maxShardBytes = request.maxShardBytes ?? (isSingle ? Number.MAX_SAFE_INTEGER : DEFAULT_MAX_SHARD_BYTES)
  const shards = splitIntoShards(tensors, { maxShardBytes, naming: format.naming })
  if (isSingle && shards.length > 1) {
    const totalBytes = tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    throw engineError('convert/shards-need-folder', { path: destination.path, totalBytes, maxShardBytes })
  }
  const files = shards.map(({ file, tensors: held }) => {
    const layout = format.layOut(held, { metadata, ...(ggufEntries && { ggufEntries }) })
    const sources = layout.slots.map(({ tensor }) => byOutput.get(tensor)).filter((tensor) => tensor !== undefined)
    return {
      file: destination.kind === 'file' ? destination.path.slice(destination.folder.length).replace(/^[/\\]/, '') : file,
      layout,
      sources,
    }
  })
  if (files.length === 1) return { files, index: null }
  const parameters = tensors.reduce((sum, { shape }) => sum + (countElements(shape) ?? 0), 0)
  const indexName = `${format.naming.stem}${format.naming.extension}.index.json`
  const text = shardIndexText(format.tied === 'metadata' ? shards.map(withoutAliases) : shards, { parameters })
  return { files, index: { file: indexName, content: text } }
}

/** Names that are only recorded in metadata are in no shard. */
function withoutAliases<T extends { readonly tensors: readonly OutputTensor[] }>(shard: T): T {
  return { ...shard, tensors: shard.tensors.map((tensor) => ({ ...tensor, aliases: [] })) }
}

function contentHash({ file, content }: GeneratedFile): string {
  return `${file} ${createHash('sha256').update(content).digest('hex')}`
}

/** Layouts with checksums have no structure before the data is known; their slots say enough. */
function structureHash(layout: FileLayout): string {
  const hash = createHash('sha256')
  if (!layout.hasChecksums) for (const { bytes } of layout.structure([])) hash.update(bytes)
  return hash.digest('hex')
}

function fingerprintOf(content: Omit<PreparedConversion, 'fingerprint' | 'checkpoint' | 'findReplaced' | typeof Symbol.dispose>): string {
  const { plan, files, generated, companions, sourceStates, destination } = content
  const layouts = files.map(({ file, layout, sources }) => [
    file,
    layout.sizeBytes,
    layout.slots.map(({ offsetBytes }) => offsetBytes),
    structureHash(layout),
    sources,
  ])
  const everything = [plan.to, destination.path, destination.kind, sourceStates, layouts, generated.map(contentHash), companions]
  return createHash('sha256').update(JSON.stringify(everything)).digest('hex')
}

/** The files that come along with the weights: those beside them, and a configuration and tokenizer that were named. */
async function findCompanions({ mapping }: OpenedSource, { source, config, tokenizer, signal }: ConversionRequest) {
  return listCompanions(resolve(source), {
    mapped: mapping !== null,
    ...(config !== undefined && { config: resolve(config) }),
    ...(tokenizer !== undefined && { tokenizer: await tokenizerFolder(tokenizer) }),
    ...(signal && { signal }),
  })
}

/** Without those that the result holds in another way: inside a GGUF file, or as the mapping's own config.json. */
function withoutReplaced<T extends { readonly file: string }>(found: readonly T[], { gguf, mapping }: OpenedSource): readonly T[] {
  if (gguf) return found.filter(({ file }) => !isInsideGguf(file))
  return mapping ? found.filter(({ file }) => !isReplacedByMapping(file)) : found
}

async function prepareFrom(opened: OpenedSource, request: ConversionRequest): Promise<PreparedConversion> {
  const { checkpoint, mapping, gguf, exportConfig, candidates } = opened
  const { signal, to, quantize, force = false } = request
  const format = WRITABLE_FORMATS[to]
  if (quantize !== undefined && to !== 'gguf')
    throw engineError('convert/not-available', { what: `Quantizing into ${format.name}`, available: ['--to gguf'] })
  const source = resolve(request.source)
  if (checkpoint.tensors.size === 0) throw engineError('convert/no-tensors', { path: source })
  const destination = await findDestination(request.out, format)
  if (to === 'onnx' && request.out.endsWith('.onnx')) throw engineError('convert/onnx-needs-folder', { path: destination.path })
  const found = await findCompanions(opened, request)
  const kept = withoutReplaced(found, opened)
  const companions = destination.kind === 'folder' ? await withoutThoseInPlace(kept, destination.folder) : []
  const untied = mapping === null && format.tied === 'metadata' && (await saysUntied(found, signal))
  const tensors = planTensors(opened, { request, format, untie: untied || format.tied === 'copies' })
  const { files, index } = layOutFiles(tensors, {
    request,
    format,
    destination,
    metadata: outputMetadata(checkpoint, format),
    ...(gguf && { ggufEntries: gguf.entries(mainDtype(tensors)) }),
  })
  const configuration =
    mapping && !gguf && destination.kind === 'folder' ? [{ file: 'config.json', content: mapping.configText(mainDtype(tensors)) }] : []
  const [data] = files
  const exported = exportConfig !== null && data ? onnxFiles(exportConfig, data) : []
  const generated = [...configuration, ...exported, ...(index ? [index] : [])]
  const sourceStates = await Promise.all(checkpoint.files.map(({ path }) => sourceState(path)))
  const groups = groupTiedTensors(checkpoint).filter(({ names }) => names.length > 1)

  const outputs = files.map(({ file, layout, sources }) => ({ file, sizeBytes: layout.sizeBytes, tensors: sources.length }))
  const names = [...outputs.map(({ file }) => file), ...generated.map(({ file }) => file), ...companions.map(({ file }) => file)]
  const inputs = [...checkpoint.files.map(({ path }) => path), ...companions.map(({ path }) => path)]
  const made = generated.map(({ file, content }) => ({ file, sizeBytes: Buffer.byteLength(content) }))
  const totalBytes = [...outputs, ...companions, ...made].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const plan: Omit<ConversionPlan, 'replaced'> = {
    source: {
      path: source,
      format: checkpoint.format,
      files: checkpoint.files.map(({ path }) => path),
      tensorBytes: [...checkpoint.tensors.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    },
    to,
    out: destination.path,
    kind: destination.kind,
    outputs,
    companions: companions.map(({ file, sizeBytes }) => ({ file, sizeBytes })),
    generated: made,
    tensors: tensors.map(({ cast: _, ...tensor }) => tensor),
    neededBytes: Math.max(0, totalBytes - (await stagedBytes(destination, names))),
    freeBytes: await freeDiskBytes(destination.path),
    dtypeChanges: listDtypeChanges(tensors, (request.dtype ?? request.quantize) !== undefined),
    family: mapping?.plan ?? null,
    candidates,
    tied: groups.map(({ names: tied }) => tied),
    dropped: allDropped(opened, format),
    notes: [...checkpoint.notes, ...tieNotes({ count: groups.length, format, untied })],
  }
  const content = { plan: { ...plan, replaced: [] }, destination, files, generated, companions, sourceStates }
  const fingerprint = fingerprintOf(content)
  const journal = await readJournal(journalPath(destination))
  // A run that was killed while it gave final names left some of its own files there.
  const isOurs = journal?.fingerprint === fingerprint && journal.finishing
  const findReplaced: PreparedConversion['findReplaced'] = async ({ resumed }) =>
    checkReplacements(await findDestination(request.out, format), { outputs: names, inputs, format, force: force || resumed })
  return {
    ...content,
    plan: { ...plan, replaced: await findReplaced({ resumed: isOurs }) },
    checkpoint,
    fingerprint,
    findReplaced,
    [Symbol.dispose]: () => checkpoint[Symbol.dispose](),
  }
}

/** Everything of the source that the result does not hold, with its reason. */
function allDropped({ checkpoint, mapping, gguf }: OpenedSource, format: WritableFormat): ConversionPlan['dropped'] {
  const tables = (mapping?.plan.dropped ?? []).map((name) => ({ name, why: 'table' as const }))
  return [...listDropped(checkpoint, format), ...tables, ...(gguf?.dropped ?? [])]
}

function tieNotes(ties: { readonly count: number; readonly format: WritableFormat; readonly untied: boolean }): readonly Note[] {
  const { count, format, untied } = ties
  if (count === 0) return []
  if (untied) return [note('convert/untied-by-config')]
  if (format.tied === 'copies') return [note('convert/tied-as-copies', { format: format.name })]
  return []
}

/** Prepares a conversion; the caller disposes it. Throws what planConversion throws. */
export async function prepareConversion(request: ConversionRequest): Promise<PreparedConversion> {
  const opened = await openSource(request)
  try {
    return await prepareFrom(opened, request)
  } catch (cause) {
    opened.checkpoint[Symbol.dispose]()
    throw cause
  }
}

/**
 * Plans a conversion and writes nothing. A plan that needs more than the free bytes is returned all the same; running it is refused.
 * Throws what openCheckpoint throws, and "convert/no-tensors", "convert/output-is-input", "convert/output-exists", "convert/dtype-not-in-format",
 * "convert/name-not-in-format", "convert/name-collision", "convert/prefix-not-found", "convert/shards-need-folder", "convert/header-too-large".
 */
export async function planConversion(request: ConversionRequest): Promise<ConversionPlan> {
  using prepared = await prepareConversion(request)
  return prepared.plan
}

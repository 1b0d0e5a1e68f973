// Opens what is to be converted: a checkpoint as it is, or mapped onto a family.
import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, parseJson, readJsonFile, type JsonObject, type JsonValue } from '../bytes/json'
import { openCheckpoint } from '../checkpoint/open'
import { openPacked } from '../checkpoint/packed/packed-view'
import type { Checkpoint } from '../checkpoint/types'
import { readConfigJson } from '../config/read-config'
import { readQuantization } from '../config/read-quantization'
import { EngineError, engineError } from '../errors'
import { tokenizerFolder } from '../inspect/model-files'
import { isKnownGguf, mapFromGguf } from './gguf/from-gguf'
import { mapGguf, type GgufMapping } from './gguf/map-gguf'
import { mapFamily, mappableFamilies, type FamilyMapping } from './standard/map-family'
import { openModelParallel } from './standard/model-parallel'
import type { ConversionRequest } from './types'

/** An opened source. `mapping` is null where all names stay; `names` are those of the result, by the checkpoint's. */
export interface OpenedSource {
  readonly checkpoint: Checkpoint
  readonly mapping: FamilyMapping | null
  readonly gguf: GgufMapping | null
  /** config.json of a decoder to be exported; null for other formats. */
  readonly exportConfig: JsonValue | null
  readonly names: ReadonlyMap<string, string> | null
  /** Families that it could be mapped onto. */
  readonly candidates: readonly string[]
}

function checkOptions({ family, stripPrefix, include }: ConversionRequest): void {
  const exclude = (second: string): Error => engineError('convert/options-exclude', { first: 'family', second })
  if (family !== undefined && stripPrefix !== undefined) throw exclude('strip-prefix')
  if (family !== undefined && include === 'optimizer') throw exclude('include optimizer')
}

/** A GGUF model is mapped back unasked: its own names mean nothing to any reader of other formats. What is no whole model keeps them. */
async function impliedMapping(checkpoint: Checkpoint, options: Parameters<typeof mapFromGguf>[1]): Promise<FamilyMapping | null> {
  if (!isKnownGguf(checkpoint)) return null
  try {
    const mapping = await mapFromGguf(checkpoint, options)
    return mapping.plan.unmapped.length === 0 ? mapping : null
  } catch (cause) {
    if (cause instanceof EngineError && cause.code.startsWith('config/')) return null
    throw cause
  }
}

async function mappingOf(checkpoint: Checkpoint, request: ConversionRequest, tokenizer: string | null): Promise<FamilyMapping | null> {
  const { source: path, family, stripPrefix, config, settings, signal } = request
  const common = { ...(settings && { settings }), ...(signal && { signal }) }
  if (family === 'auto' && isKnownGguf(checkpoint)) return mapFromGguf(checkpoint, common)
  if (family === undefined) return stripPrefix === undefined ? impliedMapping(checkpoint, common) : null
  return mapFamily(checkpoint, {
    ...common,
    path,
    family,
    ...(config !== undefined && { config }),
    ...(tokenizer !== null && { tokenizer }),
  })
}

async function configJson(mapping: FamilyMapping | null, { source, config, signal }: ConversionRequest): Promise<JsonValue> {
  if (mapping) return parseJson(Buffer.from(mapping.configText('F32')), 'config.json')
  const options = { ...(signal && { signal }) }
  if (config !== undefined) return readJsonFile(config, { maxBytes: MAX_CONFIG_JSON_BYTES, ...options })
  return readConfigJson(await folderOf(source), options)
}

/** Numbers that a graph of ours makes its shapes and scales from are no weights of the model. */
function withoutGraphConstants(checkpoint: Checkpoint): Checkpoint {
  if (checkpoint.format !== 'onnx') return checkpoint
  const tensors = new Map([...checkpoint.tensors].filter(([name]) => !name.startsWith('/constants/')))
  return tensors.size === 0 ? checkpoint : { ...checkpoint, tensors }
}

async function folderOf(path: string): Promise<string> {
  const absolute = resolve(path)
  return (await stat(absolute)).isDirectory() ? absolute : dirname(absolute)
}

/**
 * Packed matrices as the values they stand for, where a program reads the result that knows neither such parts nor the config that explains them.
 * Other formats keep the parts, and config.json beside them.
 */
async function withoutPacking(checkpoint: Checkpoint, request: ConversionRequest): Promise<Checkpoint> {
  const { source, to, family } = request
  if ((to !== 'gguf' && to !== 'onnx') || family !== undefined || checkpoint.format !== 'safetensors') return checkpoint
  const scheme = readQuantization(asObject(await configJson(null, request)), join(await folderOf(source), 'config.json'))
  return scheme === null ? checkpoint : await openPacked(checkpoint, scheme)
}

function asObject(json: JsonValue): JsonObject {
  return isJsonObject(json) ? json : {}
}

async function mapSource(checkpoint: Checkpoint, request: ConversionRequest): Promise<OpenedSource> {
  const { source: path, include, to } = request
  const tokenizer = request.tokenizer === undefined ? null : await tokenizerFolder(request.tokenizer)
  if (include === 'optimizer' && !checkpoint.format.startsWith('pytorch')) throw engineError('checkpoint/no-optimizer', { path })
  const candidates = mappableFamilies(checkpoint)
  const mapping = await mappingOf(checkpoint, request, tokenizer)
  const mapped = mapping?.checkpoint ?? checkpoint
  const common = { mapping, candidates, gguf: null, names: mapping?.names ?? null }
  if (to !== 'gguf' && to !== 'onnx') return { ...common, checkpoint: mapped, exportConfig: null }
  const json = await configJson(mapping, request)
  if (to === 'onnx') return { ...common, checkpoint: mapped, exportConfig: json }
  const folder = await folderOf(path)
  const gguf = await mapGguf(mapped, { json, folder: tokenizer ?? folder, name: basename(folder), resultNames: mapping?.names ?? null })
  return { ...common, checkpoint: gguf.checkpoint, gguf, names: gguf.names, exportConfig: null }
}

/** Opens the source; the caller disposes the checkpoint. Throws what openCheckpoint, openModelParallel, mapFamily and mapGguf throw, "convert/options-exclude", "checkpoint/no-optimizer", "tokenizer/missing". */
export async function openSource(request: ConversionRequest): Promise<OpenedSource> {
  checkOptions(request)
  const { source: path, family, include, signal } = request
  const options = { ...(signal && { signal }) }
  const parallel = family === undefined ? null : await openModelParallel(path, options)
  const opened = parallel ?? (await openCheckpoint(path, { ...options, ...(include && { include }) }))
  try {
    return await mapSource(await withoutPacking(withoutGraphConstants(opened), request), request)
  } catch (cause) {
    opened[Symbol.dispose]()
    throw cause
  }
}

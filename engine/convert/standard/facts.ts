// What the files beside a state dict, and the checkpoint itself, say about the model: config.json, Meta's params.json, litgpt's model_config.yaml and lit_config.json, the settings of a training script.
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readJsonFile, type JsonObject, type JsonValue } from '../../bytes/json'
import { openRandomAccessFile } from '../../bytes/random-access-file'
import type { Checkpoint } from '../../checkpoint/types'
import type { ConfigReason, ConfigValue } from '../types'
import { reason } from './reasons'

/** A value that was found, and where. */
export interface Fact {
  readonly value: ConfigValue
  readonly reason: ConfigReason
}

/** Looks a field up by its names, the surest source first. */
export interface Facts {
  readonly find: (names: readonly string[]) => Fact | null
  /** Whether Meta's params.json asks for Llama 3's rotary scaling. */
  readonly folder: string
}

/** A flat YAML file of a configuration: 64 KiB are hundreds of fields. */
const MAX_YAML_BYTES = 65_536

/** Fields by name, objects within flattened: `rope_parameters.rope_theta` is found as itself and as `rope_theta`. */
interface FactSource {
  readonly values: ReadonlyMap<string, ConfigValue>
  readonly reason: (field: string) => ConfigReason
}

function isScalar(value: JsonValue | undefined): value is ConfigValue {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function addFields(values: Map<string, ConfigValue>, json: JsonObject, prefix = ''): void {
  for (const [key, value] of Object.entries(json)) {
    if (isScalar(value)) values.set(prefix + key, value)
    else if (prefix === '' && isJsonObject(value)) addFields(values, value, `${key}.`)
    // One of several end tokens is better than none.
    else if (Array.isArray(value) && isScalar(value[0] as JsonValue | undefined)) values.set(prefix + key, value[0] as ConfigValue) // checked before
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true
}

/** `name: value` lines without nesting: what litgpt writes. Anything else in the file is passed over. */
function parseFlatYaml(text: string): JsonObject {
  const fields: Record<string, JsonValue> = {}
  for (const line of text.split('\n')) {
    const [, key = '', raw = ''] = /^([A-Za-z_]\w*):[ \t]+(\S.*?)[ \t\r]*$/.exec(line) ?? []
    if (key === '') continue
    const isNumber = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(raw)
    if (isNumber) fields[key] = Number(raw)
    else if (raw === 'true' || raw === 'false') fields[key] = raw === 'true'
    else if (raw !== 'null' && raw !== '~') fields[key] = raw.replace(/^(['"])(.*)\1$/, '$2')
  }
  return fields
}

async function readYaml(path: string, signal: AbortSignal | undefined): Promise<JsonObject> {
  using file = await openRandomAccessFile(path)
  const sizeBytes = Math.min(file.sizeBytes, MAX_YAML_BYTES)
  return parseFlatYaml(new TextDecoder().decode(await file.read({ offsetBytes: 0, sizeBytes, ...(signal && { signal }) })))
}

async function readFile(path: string, signal: AbortSignal | undefined): Promise<FactSource | null> {
  if (!(await exists(path))) return null
  const json = path.endsWith('.yaml')
    ? await readYaml(path, signal)
    : await readJsonFile(path, { maxBytes: MAX_CONFIG_JSON_BYTES, ...(signal && { signal }) })
  if (!isJsonObject(json)) return null
  const values = new Map<string, ConfigValue>()
  addFields(values, json)
  return { values, reason: (field) => reason('from-file', { file: basename(path), field }) }
}

function checkpointSource(checkpoint: Checkpoint): FactSource {
  // What the optimizer calls eps or a schedule calls steps says nothing of the model.
  const entries = Object.entries(checkpoint.settings ?? {}).filter(([name]) => !/^(opt|sched|lr_|scaler)/i.test(name))
  return { values: new Map(entries), reason: (field) => reason('from-checkpoint', { field }) }
}

/** GGUF's metadata says what config.json says; its numbers are singles, whose seven digits are meant. */
function metadataSource({ format, metadata }: Checkpoint): FactSource {
  const values = new Map<string, ConfigValue>()
  const entries = format === 'gguf' ? Object.entries(metadata) : []
  for (const [key, text] of entries) {
    const number = Number(text)
    if (text.length < 100) values.set(key, text !== '' && Number.isFinite(number) ? Number(number.toPrecision(7)) : text)
  }
  return { values, reason: (field) => reason('from-checkpoint', { field }) }
}

function findIn(source: FactSource, names: readonly string[]): Fact | null {
  for (const name of names) {
    for (const [field, value] of source.values) {
      if (value !== null && (field === name || field.endsWith(`.${name}`))) return { value, reason: source.reason(field) }
    }
  }
  return null
}

/**
 * Collects what is said about a source at `path` (a folder or a file). `config` is the person's own file and comes first.
 * Throws what reading a broken JSON file throws.
 */
export async function collectFacts(
  checkpoint: Checkpoint,
  options: { readonly path: string; readonly config?: string; readonly signal?: AbortSignal },
): Promise<Facts> {
  const { path, config, signal } = options
  const isFolder = (await stat(path)).isDirectory()
  const folder = isFolder ? path : dirname(path)
  const beside = ['config.json', 'params.json', 'model_config.yaml', 'lit_config.json'].map((name) => join(folder, name))
  const files = [...(config === undefined ? [] : [config]), ...beside]
  const sources = [
    ...(await Promise.all(files.map((file) => readFile(file, signal)))),
    checkpointSource(checkpoint),
    metadataSource(checkpoint),
  ].filter((source) => source !== null)
  return {
    folder,
    find: (names) => sources.map((source) => findIn(source, names)).find((fact) => fact !== null) ?? null,
  }
}

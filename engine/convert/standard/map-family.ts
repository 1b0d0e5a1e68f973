// The standard path: a custom state dict becomes a checkpoint of a family that Transformers and this engine know, with the config.json that belongs to it.
import { isJsonObject, MAX_CONFIG_JSON_BYTES, readJsonFile, type JsonObject, type JsonValue } from '../../bytes/json'
import type { Checkpoint } from '../../checkpoint/types'
import { EngineError, engineError } from '../../errors'
import { listTokenizerFiles } from '../../inspect/model-files'
import type { StoredDtype } from '../../checkpoint/writers/file-layout'
import { loadTokenizer } from '../../tokenizer/load'
import { deriveCheckpoint, type DerivedTensor } from '../derived-checkpoint'
import type { ConfigValue, FamilyPlan, PlannedConfigField } from '../types'
import { assemble } from './assemble'
import { fittingFamilies } from './choose-family'
import { collectFacts, type Facts } from './facts'
import { FAMILY_NAMES, TARGET_FAMILIES, type TargetFamily } from './families'
import { inferConfig } from './infer-config'
import { recognise, type Recognised } from './recognise'
import { rotaryScaling } from './rotary-scaling'
import { readRotaryTable, readShapes } from './shapes'
import { isHeadTied } from './tied-head'
import { TORCH_DTYPES } from './torch-dtypes'

/** A mapped source: what to read from, and the name in the result of each of its tensors. */
export interface FamilyMapping {
  readonly checkpoint: Checkpoint
  readonly names: ReadonlyMap<string, string>
  readonly plan: FamilyPlan
  /** Text of config.json for weights of this dtype. */
  readonly configText: (dtype: StoredDtype) => string
}

/** More names than this in one message help nobody. */
const MAX_NAMED = 5

/** Names of the families that a checkpoint's tensors could be mapped onto. */
export function mappableFamilies(checkpoint: Checkpoint): readonly string[] {
  const source = recognise(checkpoint)
  return source ? fittingFamilies(source).map(({ modelType }) => modelType) : []
}

function chooseFamily(source: Recognised, options: { readonly asked: string; readonly facts: Facts }): TargetFamily {
  const { asked, facts } = options
  const fitting = fittingFamilies(source)
  const isAsked = ({ modelType, architecture }: TargetFamily): boolean => modelType === asked.toLowerCase() || architecture === asked
  const stated = facts.find(['model_type', 'general.architecture'])?.value
  const found = asked === 'auto' ? (fitting.find(({ modelType }) => modelType === stated) ?? fitting[0]) : fitting.find(isAsked)
  if (found) return found
  if (asked !== 'auto' && !TARGET_FAMILIES.some(isAsked))
    throw engineError('convert/family-not-available', { family: asked, available: FAMILY_NAMES })
  const names = fitting.map(({ modelType }) => modelType)
  throw engineError('convert/family-mismatch', { family: asked, layout: source.layout.name, fitting: names })
}

/** Begin and end of the tokenizer beside the weights; null where there is none that can be read: it says nothing here then. */
async function tokensOf(folder: string): Promise<{ readonly bosTokenId: number | null; readonly eosTokenId: number | null } | null> {
  if (!(await listTokenizerFiles(folder)).complete) return null
  try {
    return await loadTokenizer(folder)
  } catch (cause) {
    if (cause instanceof EngineError) return null
    throw cause
  }
}

/** Fields of an earlier config.json that keep their meaning in every family. */
const CARRIED = [
  'pad_token_id',
  'rope_scaling',
  'rope_parameters',
  'attention_dropout',
  'initializer_range',
  'sliding_window',
  'eos_token_id',
] as const

/** Fields by name; `a.b` goes into an object `a`. */
function nested(fields: readonly { readonly name: string; readonly value: ConfigValue }[]): Record<string, JsonValue> {
  const result: Record<string, JsonValue> = {}
  for (const { name, value } of fields) {
    const [outer = name, inner] = name.split('.')
    const around = result[outer]
    result[outer] = inner === undefined ? value : { ...(isJsonObject(around) ? around : {}), [inner]: value }
  }
  return result
}

function configText(
  family: TargetFamily,
  content: { readonly fields: readonly PlannedConfigField[]; readonly carried: JsonObject; readonly dtype: StoredDtype },
): string {
  const { fields, carried, dtype } = content
  const own = nested(fields.filter(({ value }) => value !== null))
  const kept = Object.fromEntries(
    CARRIED.flatMap((name) => (carried[name] === undefined || carried[name] === null ? [] : [[name, carried[name]]])),
  )
  const theta = own['rope_theta']
  const parameters = kept['rope_parameters']
  const answered = fields.some(({ name, origin }) => name === 'eos_token_id' && origin === 'answer')
  const torchDtype = TORCH_DTYPES[dtype]
  const merged: Record<string, JsonValue> = {
    architectures: [family.architecture],
    model_type: family.modelType,
    ...own,
    ...kept,
    ...(isJsonObject(parameters) && theta !== undefined && { rope_parameters: { ...parameters, rope_theta: theta } }),
    ...(answered && own['eos_token_id'] !== undefined && { eos_token_id: own['eos_token_id'] }),
    ...(torchDtype !== undefined && { torch_dtype: torchDtype }),
  }
  const sorted = Object.entries(merged).sort(([left], [right]) => (left < right ? -1 : 1))
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`
}

async function carriedConfig(paths: readonly string[], signal: AbortSignal | undefined): Promise<JsonObject> {
  for (const path of paths) {
    const json = await readJsonFile(path, { maxBytes: MAX_CONFIG_JSON_BYTES, ...(signal && { signal }) }).catch(() => null)
    if (json !== null && isJsonObject(json)) return json
  }
  return {}
}

/**
 * Maps a checkpoint onto a family; the mapping's checkpoint takes over the source. `path` is where it lies.
 * Throws "convert/family-unknown", "convert/family-not-available", "convert/family-mismatch", "convert/family-incomplete", "convert/parts-differ",
 * "convert/config-contradicts" and what reading the files beside it throws.
 */
export async function mapFamily(
  checkpoint: Checkpoint,
  options: {
    readonly path: string
    readonly family: string
    readonly config?: string
    /** Folder of the tokenizer, where it is another one. */
    readonly tokenizer?: string
    readonly settings?: Readonly<Record<string, ConfigValue>>
    readonly signal?: AbortSignal
  },
): Promise<FamilyMapping> {
  const { path, family: asked, config, tokenizer, settings = {}, signal } = options
  const source = recognise(checkpoint)
  const shapes = source && readShapes(source)
  if (!source || !shapes) throw engineError('convert/family-unknown', { path, names: [...checkpoint.tensors.keys()].slice(0, MAX_NAMED) })
  const facts = await collectFacts(checkpoint, { path, ...(config !== undefined && { config }), ...(signal && { signal }) })
  const family = chooseFamily(source, { asked, facts })
  const reading = { checkpoint, ...(signal && { signal }) }
  const [table, tied] = [await readRotaryTable(source, reading), await isHeadTied(source, reading)]
  const inferred = inferConfig({
    family,
    source,
    shapes,
    table,
    facts,
    tied,
    settings,
    tokenizer: await tokensOf(tokenizer ?? facts.folder),
  })
  const fields = [...inferred.fields, ...rotaryScaling({ facts, shapes, answered: new Set(Object.keys(settings)) })]
  const tensors = assemble({ ...shapes, ...inferred, checkpoint, source, family, tied: tied.value })
  const carried = await carriedConfig([...(config === undefined ? [] : [config]), `${facts.folder}/config.json`], signal)
  return {
    checkpoint: deriveCheckpoint([checkpoint], new Map(tensors.map(({ from, tensor }): [string, DerivedTensor] => [from, tensor]))),
    names: new Map(tensors.map(({ from, name }) => [from, name])),
    plan: {
      name: family.modelType,
      modelType: family.modelType,
      layout: source.layout.name,
      prefix: source.prefix,
      mapped: source.parts.size,
      unmapped: source.unmapped,
      dropped: [...source.dropped.values()].map(({ name }) => name),
      config: fields,
    },
    configText: (dtype) => configText(family, { fields, carried, dtype }),
  }
}

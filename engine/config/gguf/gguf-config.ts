// The metadata of a GGUF file -> DecoderConfig, by way of a config.json with the fields of the family's row. Keys follow gguf-py (constants.py) 0.19.
import type { Checkpoint, TensorInfo } from '../../checkpoint/types'
import { ggufInteger } from '../../checkpoint/gguf/header'
import type { GgufValue } from '../../checkpoint/gguf/values'
import { decodeFloat32 } from '../../tensor/decode'
import { isJsonObject, type JsonObject, type JsonValue } from '../../bytes/json'
import { engineError } from '../../errors'
import type { DecoderConfig } from '../decoder-config'
import type { FamilyRow, FieldNames, FlagRule, NumberRule } from '../families/types'
import { mergeRows } from '../families/merge-rows'
import { readDecoderConfig } from '../read-config'
import { FALCON_TWO_NORMS, GGUF_ARCHITECTURES, GGUF_MIXTRAL, type GgufArchitecture } from './architectures'

/** What a GGUF file says about its decoder. */
export interface GgufModelFacts {
  readonly path: string
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly checkpoint: Pick<Checkpoint, 'tensors' | 'read'>
}

/** Factors of rotary frequencies: one for every pair of the widest head allowed. */
const MAX_FACTOR_BYTES = 4 * 4096

class Metadata {
  readonly #facts: GgufModelFacts
  readonly architecture: string

  constructor(facts: GgufModelFacts) {
    this.#facts = facts
    const name = facts.metadata.get('general.architecture')
    this.architecture = name?.type === 'string' ? name.value : ''
  }

  /** A number, text or switch under the architecture's name; undefined where there is none, and for lists. */
  own(key: string): number | string | boolean | undefined {
    return this.#scalar(`${this.architecture}.${key}`)
  }

  number(key: string): number | undefined {
    const value = this.own(key)
    return typeof value === 'number' ? value : undefined
  }

  tokenId(name: string): number | undefined {
    return ggufInteger(this.#facts.metadata, `tokenizer.ggml.${name}_token_id`) ?? undefined
  }

  isList(key: string): boolean {
    return this.#facts.metadata.get(`${this.architecture}.${key}`)?.type === 'array'
  }

  #scalar(key: string): number | string | boolean | undefined {
    const value = this.#facts.metadata.get(key)
    if (value === undefined || value.type === 'array') return undefined
    if (typeof value.value === 'bigint') return ggufInteger(this.#facts.metadata, key) ?? undefined
    return value.value
  }
}

/** A config.json being written; `a.b` is field b of the object a, undefined values are left out. */
function createFields() {
  const json: Record<string, JsonValue> = {}
  const set = (field: string, value: JsonValue | undefined): void => {
    if (value === undefined) return
    const [outer = '', inner] = field.split('.')
    if (inner === undefined) json[outer] = value
    else {
      const before = json[outer]
      json[outer] = { ...(isJsonObject(before) ? before : {}), [inner]: value }
    }
  }
  const first = (names: FieldNames): string | undefined => (typeof names === 'string' ? names : names[0])
  return {
    json,
    set,
    /** Sets the field that a rule reads, if it reads one. */
    number: (rule: NumberRule, value: number | undefined): void => {
      const field = typeof rule === 'object' && rule !== null ? first(rule.field) : undefined
      if (field !== undefined) set(field, value)
    },
    flag: (rule: FlagRule, value: boolean): void => {
      const field = typeof rule === 'object' && rule.equals === undefined ? first(rule.field) : undefined
      if (field !== undefined) set(field, value)
    },
  }
}

type Fields = ReturnType<typeof createFields>

function findArchitecture(metadata: Metadata, facts: GgufModelFacts): GgufArchitecture {
  const found = GGUF_ARCHITECTURES.get(metadata.architecture)
  if (found === undefined) {
    const supported = [...GGUF_ARCHITECTURES.keys()].sort()
    throw engineError('config/gguf-architecture', { path: facts.path, architecture: metadata.architecture.slice(0, 100), supported })
  }
  if (metadata.architecture === 'llama' && (metadata.number('expert_count') ?? 0) > 0) return GGUF_MIXTRAL
  if (metadata.architecture === 'falcon' && facts.checkpoint.tensors.has('blk.0.attn_norm_2.weight'))
    return { ...found, row: mergeRows(found.row, FALCON_TWO_NORMS) }
  return found
}

function setSizes(fields: Fields, row: FamilyRow, metadata: Metadata, table: TensorInfo | undefined): void {
  const { sizes } = row
  fields.number(sizes.vocabSize, table?.shape[0])
  fields.number(sizes.hiddenSize, metadata.number('embedding_length'))
  fields.number(sizes.intermediateSize, metadata.number('feed_forward_length'))
  fields.number(sizes.numHiddenLayers, metadata.number('block_count'))
  fields.number(sizes.numAttentionHeads, metadata.number('attention.head_count'))
  fields.number(sizes.numKeyValueHeads, metadata.number('attention.head_count_kv') ?? metadata.number('attention.head_count'))
  fields.number(sizes.headDim, metadata.number('attention.key_length'))
  fields.number(sizes.maxPositionEmbeddings, metadata.number('context_length'))
  fields.number(row.norm.eps, metadata.number(`attention.layer_norm_${row.norm.kind === 'rms' ? 'rms_' : ''}epsilon`))
}

/** Switches that a file tells by the tensors it has. */
function setSwitches(fields: Fields, row: FamilyRow, has: (tensor: string) => boolean): void {
  const { attention, feedForward, norm, head } = row
  const layer = (part: string): boolean => has(`blk.0.${part}`)
  fields.flag(attention.qkvBias, layer('attn_q.bias') || layer('attn_qkv.bias'))
  fields.flag(attention.outputBias, layer('attn_output.bias'))
  fields.flag(feedForward.upBias, layer('ffn_up.bias'))
  fields.flag(feedForward.downBias, layer('ffn_down.bias'))
  fields.flag(norm.bias, has('output_norm.bias'))
  fields.flag(head.tied, !has('output.weight'))
  if (attention.queryKeyNorm !== null) fields.flag(attention.queryKeyNorm.enabled, layer('attn_q_norm.weight'))
}

async function factorsOf(facts: GgufModelFacts, name: string): Promise<number[] | null> {
  const tensor = facts.checkpoint.tensors.get(name)
  if (tensor === undefined || tensor.sizeBytes > MAX_FACTOR_BYTES) return null
  return Array.from(decodeFloat32(await facts.checkpoint.read(name), tensor.dtype))
}

/** Rotary scaling. Factors of frequencies (how llama 3 and longrope are stored) are given as longrope's, which multiplies frequencies by their inverse. */
async function ropeScaling(metadata: Metadata, facts: GgufModelFacts): Promise<JsonValue | undefined> {
  const original = metadata.number('rope.scaling.original_context_length') ?? metadata.number('context_length') ?? 0
  const [common, short, long] = await Promise.all(
    ['rope_freqs.weight', 'rope_factors_short.weight', 'rope_factors_long.weight'].map((name) => factorsOf(facts, name)),
  )
  const attention = metadata.number('rope.scaling.attn_factor')
  if (common) return longRope({ short: common, long: common, original, attention: 1 })
  if (short && long) return longRope({ short, long, original, attention })
  const kind = metadata.own('rope.scaling.type')
  const factor = metadata.number('rope.scaling.factor') ?? metadata.number('rope.scale_linear')
  if (factor === undefined || factor === 0 || factor === 1 || kind === 'none') return undefined
  return { rope_type: typeof kind === 'string' ? kind : 'linear', factor, original_max_position_embeddings: original }
}

function longRope(options: {
  readonly short: readonly number[]
  readonly long: readonly number[]
  readonly original: number
  readonly attention: number | undefined
}): JsonValue {
  const { short, long, original, attention } = options
  return {
    rope_type: 'longrope',
    short_factor: short,
    long_factor: long,
    original_max_position_embeddings: original,
    ...(attention !== undefined && { attention_factor: attention }),
  }
}

async function setRope(fields: Fields, row: FamilyRow, metadata: Metadata, facts: GgufModelFacts): Promise<void> {
  if (row.rope === null) return
  const { thetaFields, partial, dim, windowTheta } = row.rope
  const theta = metadata.number('rope.freq_base')
  const thetaField = typeof thetaFields === 'string' ? thetaFields : thetaFields[0]
  if (thetaField !== undefined) fields.set(thetaField, theta)
  if (row.window !== null && windowTheta !== null) fields.number(windowTheta, metadata.number('rope.freq_base_swa'))
  const rotated = metadata.number('rope.dimension_count')
  const heads = metadata.number('attention.head_count') ?? 1
  const headDim = metadata.number('attention.key_length') ?? (metadata.number('embedding_length') ?? 0) / heads
  if (rotated !== undefined && rotated > 0) {
    fields.number(dim, rotated)
    if (rotated !== headDim && dim === null) {
      const share = typeof partial === 'object' && partial !== null ? partial : { field: 'partial_rotary_factor' }
      fields.number(share, rotated / headDim)
    }
  }
  fields.set('rope_scaling', await ropeScaling(metadata, facts))
}

/** llama.cpp derives the scale of Gemma's scores from the sizes: the 27B models (46 and 62 layers) divide the width by the heads. */
function gemmaQueryScale(metadata: Metadata): number | undefined {
  const [layers, width, heads] = ['block_count', 'embedding_length', 'attention.head_count'].map((key) => metadata.number(key))
  const isLargest = layers === 46 || layers === 62
  return isLargest && width !== undefined && heads !== undefined ? width / heads : metadata.number('attention.key_length')
}

/**
 * The config.json that a GGUF model would have, and the row that reads it together with the file's own weights. `checkpoint` has the file's own tensor names.
 * Throws "config/gguf-architecture", and "config/unsupported-switch" for what has no counterpart.
 */
export async function describeGgufConfig(facts: GgufModelFacts): Promise<{ readonly json: JsonObject; readonly row: FamilyRow }> {
  const metadata = new Metadata(facts)
  const { row, ...architecture } = findArchitecture(metadata, facts)
  const { tensors } = facts.checkpoint
  for (const key of ['attention.head_count', 'attention.head_count_kv', 'feed_forward_length'])
    if (metadata.isList(key)) {
      const field = `${metadata.architecture}.${key}`
      throw engineError('config/unsupported-switch', { path: facts.path, field, found: 'a list', supported: 'one number for all layers' })
    }
  const fields = createFields()
  fields.set('model_type', row.modelTypes[0])
  setSizes(fields, row, metadata, tensors.get('token_embd.weight'))
  setSwitches(fields, row, (name) => tensors.has(name))
  await setRope(fields, row, metadata, facts)
  for (const [field, key] of Object.entries(architecture.fields ?? {})) fields.set(field, metadata.own(key))
  for (const [field, value] of Object.entries(architecture.fixed ?? {})) fields.set(field, value)
  if (architecture.queryScale === 'gemma') fields.set('query_pre_attn_scalar', gemmaQueryScale(metadata))
  for (const name of ['bos', 'eos']) fields.set(`${name}_token_id`, metadata.tokenId(name) ?? null)
  fields.set('pad_token_id', metadata.tokenId('padding'))
  return { json: fields.json, row }
}

/** Reads the configuration of a GGUF model. Throws what describeGgufConfig throws, and the codes of readDecoderConfig. */
export async function readGgufConfig(facts: GgufModelFacts): Promise<DecoderConfig> {
  const { json, row } = await describeGgufConfig(facts)
  return readDecoderConfig(json, { path: facts.path, row })
}

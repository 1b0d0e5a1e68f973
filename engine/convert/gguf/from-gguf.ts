// A GGUF file as a checkpoint that Transformers loads: names, config.json, and what llama.cpp's converter (convert_hf_to_gguf.py, 2026-05) did to the weights undone.
import { isJsonObject, type JsonObject, type JsonValue } from '../../bytes/json'
import { readGgufHeader } from '../../checkpoint/gguf/header'
import { renameCheckpoint } from '../../checkpoint/renamed'
import type { Checkpoint, TensorInfo } from '../../checkpoint/types'
import type { DecoderConfig } from '../../config/decoder-config'
import { FAMILIES } from '../../config/families/table'
import type { FamilyRow } from '../../config/families/types'
import { GGUF_ARCHITECTURES } from '../../config/gguf/architectures'
import { describeGgufConfig } from '../../config/gguf/gguf-config'
import { ggufTensorNames } from '../../config/gguf/tensor-names'
import { readDecoderConfig } from '../../config/read-config'
import { deriveCheckpoint, type DerivedTensor } from '../derived-checkpoint'
import { addRows, regroupRows, reorderRows, rowsOf, transposeRows, type Rows } from '../rows'
import { reason } from '../standard/reasons'
import type { FamilyMapping } from '../standard/map-family'
import { TORCH_DTYPES } from '../standard/torch-dtypes'
import type { ConfigValue, PlannedConfigField } from '../types'

/** What has to be undone: the differences between the row that reads the file and the row of Transformers' own weights. */
interface Changes {
  readonly neighbours: boolean
  readonly wholeNorms: boolean
  readonly sortedProjection: boolean
  readonly turned: boolean
}

function changesOf(row: FamilyRow): Changes {
  const own = FAMILIES.find(({ modelTypes }) => modelTypes.some((type) => row.modelTypes.includes(type))) ?? row
  // Falcon's own weights lie in groups where its config.json says so.
  const canBeGrouped = own.variants.some((variant) => variant.row.attention?.projection === 'grouped')
  return {
    neighbours: row.rope?.interleaved === true && own.rope?.interleaved !== true,
    wholeNorms: own.norm.plusOne && !row.norm.plusOne,
    sortedProjection: row.attention.projection === 'concatenated' && (own.attention.projection === 'grouped' || canBeGrouped),
    turned: own.matrixLayout !== row.matrixLayout,
  }
}

/** The parts of a family that a change concerns, by the endings of their names. */
function isNamed(name: string, part: string | null | undefined): boolean {
  return typeof part === 'string' && (name.endsWith(`.${part}.weight`) || name.endsWith(`.${part}.bias`))
}

/** One tensor as Transformers has it. */
function undo(view: Checkpoint, tensor: TensorInfo, context: { readonly config: DecoderConfig; readonly changes: Changes }): DerivedTensor {
  const { config, changes } = context
  const { names, headDim, numKeyValueHeads, numAttentionHeads } = config
  const { name, dtype, shape, file } = tensor
  const rows = rowsOf(view, tensor)
  const made = (change: Rows, changed: readonly number[] = shape): DerivedTensor => ({
    kind: 'made',
    rows: change,
    dtype,
    shape: changed,
    file,
  })
  const half = headDim / 2
  if (changes.neighbours && (isNamed(name, names.query) || isNamed(name, names.key)))
    return made(reorderRows(rows, { groupRows: headDim, sourceRow: (row) => (row < half ? 2 * row : 2 * (row - half) + 1) }))
  if (changes.sortedProjection && isNamed(name, names.queryKeyValue))
    return made(
      regroupRows(rows, {
        groups: numKeyValueHeads,
        parts: [numAttentionHeads * headDim, numKeyValueHeads * headDim, numKeyValueHeads * headDim],
      }),
    )
  if (changes.wholeNorms && shape.length === 1 && /norm\.weight$/.test(name)) return made(addRows(rows, dtype, -1))
  const isMatrix =
    [names.queryKeyValue, names.attentionOutput, names.up, names.down].some((part) => isNamed(name, part)) && shape.length === 2
  if (changes.turned && isMatrix) return made(transposeRows(rows, dtype), shape.toReversed())
  return { kind: 'same', checkpoint: view, tensor }
}

/** Singles of the metadata have seven digits. */
function rounded(value: JsonValue): JsonValue {
  if (typeof value === 'number') return Number(value.toPrecision(7))
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner ?? null)])) : value
}

/** The fields as Transformers' class takes them: a padding id of its own would lie outside of the vocabulary, and Falcon's class knows the older names no more. */
function classFields(json: JsonObject, context: { readonly config: DecoderConfig; readonly hasTwoNorms: boolean }): JsonObject {
  const { config, hasTwoNorms } = context
  const padded = { ...json, pad_token_id: json['pad_token_id'] ?? null }
  if (config.modelType !== 'falcon') return padded
  const newer: Readonly<Record<string, string>> = { n_head: 'num_attention_heads', n_layer: 'num_hidden_layers', n_embed: 'hidden_size' }
  const renamed = Object.fromEntries(Object.entries(padded).map(([key, value]) => [newer[key] ?? key, value]))
  if (config.numKeyValueHeads === 1) return { ...renamed, multi_query: true, new_decoder_architecture: false }
  return { ...renamed, new_decoder_architecture: true, num_ln_in_parallel_attn: hasTwoNorms ? 2 : 1 }
}

/** Fields that Transformers 5.18 takes as floating-point numbers only, written with a point though they are whole. */
const FLOAT_FIELDS =
  /^(\s*"(?:attn_logit_softcapping|final_logit_softcapping|logit_scale|logits_scaling|clip_qkv|(?:residual|embedding|attention)_multiplier)": -?\d+)(,?)$/gm

/** Fields with a scalar value, objects within flattened. */
function plannedFields(json: JsonObject, answers: Readonly<Record<string, ConfigValue>>, prefix = ''): readonly PlannedConfigField[] {
  return Object.entries(json).flatMap(([key, value]): readonly PlannedConfigField[] => {
    const name = `${prefix}${key}`
    if (isJsonObject(value)) return plannedFields(value, answers, `${name}.`)
    if (value === undefined || (typeof value === 'object' && value !== null)) return []
    const isAnswer = Object.hasOwn(answers, name)
    return [
      {
        name,
        value,
        origin: isAnswer ? 'answer' : 'file',
        reason: isAnswer ? reason('answered') : reason('from-checkpoint', { field: name }),
      },
    ]
  })
}

/** Whether a checkpoint is a GGUF file of an architecture that is known. */
export function isKnownGguf({ format, metadata }: Checkpoint): boolean {
  return format === 'gguf' && GGUF_ARCHITECTURES.has(metadata['general.architecture'] ?? '')
}

/**
 * Maps a GGUF checkpoint onto the family that it is of; the mapping's checkpoint takes over the source.
 * Throws "config/gguf-architecture", "config/unsupported-switch" and what reading the configuration throws.
 */
export async function mapFromGguf(
  checkpoint: Checkpoint,
  options: { readonly settings?: Readonly<Record<string, ConfigValue>>; readonly signal?: AbortSignal },
): Promise<FamilyMapping> {
  const { settings = {}, signal } = options
  const path = checkpoint.files[0]?.path ?? ''
  const { metadata } = await readGgufHeader(path, { ...(signal && { signal }) })
  const { json: described, row } = await describeGgufConfig({ path, metadata, checkpoint })
  const config = readDecoderConfig(described, { path, row })
  const fields = classFields(described, { config, hasTwoNorms: checkpoint.tensors.has('blk.0.attn_norm_2.weight') })
  const json = Object.fromEntries(Object.entries({ ...fields, ...settings }).map(([key, value]) => [key, rounded(value ?? null)]))
  const renamed = ggufTensorNames(checkpoint.tensors, config)
  const view = renameCheckpoint(checkpoint, renamed)
  const context = { config, changes: changesOf(row) }
  const derived = new Map<string, DerivedTensor>()
  const names = new Map<string, string>()
  for (const [name, { source, part }] of renamed) {
    const tensor = view.tensors.get(name)
    if (!tensor) continue
    const from = part === undefined ? source : `${source}[${part.index}]`
    derived.set(from, undo(view, tensor, context))
    names.set(from, name)
  }
  const kept = new Set([...renamed.values()].map(({ source }) => source))
  const unmapped = [...names].filter(([from, name]) => from === name).map(([from]) => from)
  return {
    checkpoint: deriveCheckpoint([checkpoint], derived),
    names,
    plan: {
      name: config.modelType,
      modelType: config.modelType,
      layout: 'gguf',
      prefix: '',
      mapped: kept.size - unmapped.length,
      unmapped,
      dropped: [...checkpoint.tensors.keys()].filter((name) => !kept.has(name)),
      config: plannedFields(json, settings),
    },
    configText: (dtype) => {
      const torchDtype = TORCH_DTYPES[dtype]
      const whole = { architectures: [row.architectures[0] ?? ''], ...json, ...(torchDtype !== undefined && { torch_dtype: torchDtype }) }
      const sorted = Object.entries(whole).sort(([left], [right]) => (left < right ? -1 : 1))
      return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`.replace(FLOAT_FIELDS, '$1.0$2')
    },
  }
}

// The config.json of a mapped state dict: every field with its value, where it comes from and why. Names and defaults follow Transformers 5.18.
import type { TensorInfo } from '../../checkpoint/types'
import { engineError } from '../../errors'
import type { ConfigReason, ConfigValue, PlannedConfigField } from '../types'
import { hasPart } from './choose-family'
import type { Fact, Facts } from './facts'
import type { TargetFamily } from './families'
import { knownModel, MINIMIND, minimindFigures } from './known-models'
import { reason } from './reasons'
import type { Recognised } from './recognise'
import { firstLayerWeight, type DecoderShapes, type RotaryTable } from './shapes'

/** What the fields are made from. `tied`: how the output head relates to the embedding. */
export interface ConfigEvidence {
  readonly family: TargetFamily
  readonly source: Recognised
  readonly shapes: DecoderShapes
  readonly table: RotaryTable | null
  readonly facts: Facts
  readonly tied: { readonly value: boolean; readonly reason: ConfigReason }
  readonly settings: Readonly<Record<string, ConfigValue>>
  readonly tokenizer: { readonly bosTokenId: number | null; readonly eosTokenId: number | null } | null
}

/** The fields, and the numbers that taking projections apart needs. */
export interface InferredConfig {
  readonly fields: readonly PlannedConfigField[]
  readonly heads: number
  readonly keyValueHeads: number
  readonly headDim: number
}

/** Other names of a field in files. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  num_attention_heads: ['num_attention_heads', 'n_heads', 'n_head', 'num_heads', 'attention.head_count'],
  num_key_value_heads: ['num_key_value_heads', 'n_kv_heads', 'n_kv_head', 'num_kv_heads', 'n_query_groups', 'attention.head_count_kv'],
  head_dim: ['head_dim', 'head_size', 'attention.key_length'],
  rms_norm_eps: [
    'rms_norm_eps',
    'norm_eps',
    'layer_norm_epsilon',
    'layer_norm_eps',
    'attention.layer_norm_rms_epsilon',
    'attention.layer_norm_epsilon',
  ],
  rope_theta: ['rope_theta', 'rope_base', 'rotary_base', 'rope.freq_base'],
  max_position_embeddings: [
    'max_position_embeddings',
    'max_seq_len',
    'max_seq_length',
    'max_sequence_length',
    'block_size',
    'n_positions',
    'n_ctx',
    'context_length',
  ],
  hidden_act: ['hidden_act', 'hidden_activation', 'activation_function'],
}

/** Routing that families of softmax experts do, by the fields of those that do otherwise. */
const USUAL_ROUTING: Readonly<Record<string, ConfigValue>> = { scoring_func: 'softmax', routed_scaling_factor: 1, n_group: 1 }

type Candidate = Omit<PlannedConfigField, 'name'>

const guess = (value: ConfigValue, why: ConfigReason): Candidate => ({ value, origin: 'guess', reason: why })
const fromShape = (value: ConfigValue, why: ConfigReason): Candidate => ({ value, origin: 'shape', reason: why })
const fromFile = (fact: Fact | null): Candidate | null => fact && { ...fact, origin: 'file' }

/** The error of a number that cannot be true. */
function contradicts(field: Pick<PlannedConfigField, 'name' | 'value'>, expected: string): Error {
  return engineError('convert/config-contradicts', { field: field.name, value: String(field.value), expected })
}

/** Head sizes in use, tried in this order; the first is that of large models only. */
const HEAD_DIMS = [128, 64, 96, 80, 32, 48, 16, 8, 4, 2] as const
/** Models at least this wide have heads of 128. */
const WIDE_HIDDEN_SIZE = 2048

function guessHeadDim(evidence: ConfigEvidence, rows: { readonly query: number; readonly key: number }): Candidate {
  const { shapes, source } = evidence
  const known = knownModel({ ...shapes, keyRows: rows.key, headNorms: false })
  if (known) return guess(known.headDim, reason('known-model', { model: known.name }))
  if (shapes.vocabSize === MINIMIND.vocabSize && source.layout.name !== 'gpt2' && rows.query % MINIMIND.heads === 0) {
    const headDim = rows.query / MINIMIND.heads
    if (headDim % 2 === 0 && rows.key % headDim === 0) return guess(headDim, reason('known-model', { model: 'MiniMind' }))
  }
  const fitting = HEAD_DIMS.find(
    (dim) => (dim < 128 || shapes.hiddenSize >= WIDE_HIDDEN_SIZE) && rows.key % dim === 0 && rows.query % dim === 0,
  )
  const headDim = fitting ?? rows.key
  return guess(headDim, reason('usual-head-size', { headDim, rows: rows.key }))
}

/** A whole number of heads that a person or a file names. */
function statedHeads(evidence: ConfigEvidence, name: string): Candidate | null {
  const { settings, facts } = evidence
  const answer = settings[name]
  const stated: Candidate | null =
    answer === undefined ? fromFile(facts.find(ALIASES[name] ?? [name])) : { value: answer, origin: 'answer', reason: reason('answered') }
  if (stated === null || typeof stated.value !== 'number') return null
  if (!Number.isInteger(stated.value) || stated.value < 1) throw contradicts({ name, value: stated.value }, 'a whole number from 1')
  return stated
}

function headDimByShape({ source, table }: ConfigEvidence): Candidate | null {
  const norm = firstLayerWeight(source, 'queryNorm')
  const normSize = norm?.shape.length === 1 ? norm.shape[0] : undefined
  if (norm && normSize !== undefined) return fromShape(normSize, reason('from-shape', { tensor: norm.name, shape: norm.shape.join(', ') }))
  return table && fromShape(table.headDim, reason('from-values', { tensor: table.tensor }))
}

/** Heads, key-value heads and their size: any one of them gives the others. */
function inferHeads(evidence: ConfigEvidence): { readonly fields: readonly PlannedConfigField[]; readonly heads: InferredConfig } {
  const { shapes } = evidence
  const rows = { query: shapes.queryRows ?? 0, key: shapes.keyRows ?? 0 }
  const heads = statedHeads(evidence, 'num_attention_heads')
  const size = headDimByShape(evidence) ?? statedHeads(evidence, 'head_dim')
  const keyValue = statedHeads(evidence, 'num_key_value_heads')
  const derive = (from: Candidate, value: number): Candidate => ({ ...from, value })
  const headDim =
    heads !== null && (size === null || size.origin !== 'shape')
      ? derive(heads, rows.query / Number(heads.value))
      : (size ?? (keyValue ? derive(keyValue, rows.key / Number(keyValue.value)) : guessHeadDim(evidence, rows)))
  const dim = Number(headDim.value)
  const count = heads ?? derive(headDim, rows.query / dim)
  const groups = derive(keyValue ?? headDim, rows.key / dim)
  if (!Number.isInteger(dim) || Number(count.value) * dim !== rows.query)
    throw contradicts(
      { name: 'num_attention_heads', value: count.value },
      `heads that divide the ${rows.query} rows of the query projection`,
    )
  if (!Number.isInteger(Number(groups.value)) || (keyValue !== null && keyValue.value !== groups.value))
    throw contradicts(
      { name: 'num_key_value_heads', value: keyValue?.value ?? groups.value },
      `${rows.key / dim}, from ${rows.key} rows of the key projection and heads of ${dim}`,
    )
  // A family without the field has as many of them as heads, and heads that make up the width.
  if (evidence.family.fieldNames['num_key_value_heads'] === null && groups.value !== count.value)
    throw contradicts({ name: 'num_key_value_heads', value: groups.value }, `${String(count.value)}, as many as heads`)
  return {
    fields: [
      { name: 'num_attention_heads', ...count },
      { name: 'num_key_value_heads', ...groups },
      { name: 'head_dim', ...headDim },
    ],
    heads: { fields: [], heads: Number(count.value), keyValueHeads: Number(groups.value), headDim: dim },
  }
}

/** Fields that only a file, an answer or a guess gives. */
function inferSettings(evidence: ConfigEvidence): readonly PlannedConfigField[] {
  const { family, shapes, source, table, facts } = evidence
  const known = knownModel({ ...shapes, keyRows: shapes.keyRows ?? 0, headNorms: firstLayerWeight(source, 'queryNorm') !== null })
  const isMinimind = shapes.vocabSize === MINIMIND.vocabSize
  const hasNorms = firstLayerWeight(source, 'queryNorm') !== null
  const usual = (field: 'ropeTheta' | 'normEps' | 'maxPositions', otherwise: number): Candidate => {
    if (known) return guess(known[field], reason('known-model', { model: known.name }))
    if (isMinimind) return guess(minimindFigures(hasNorms)[field], reason('known-model', { model: 'MiniMind' }))
    return guess(otherwise, reason('family-default', { family: family.modelType }))
  }
  const pick = (name: string, ...others: readonly (Candidate | null)[]): PlannedConfigField => {
    const [first] = [fromFile(facts.find(ALIASES[name] ?? [name])), ...others].filter((each) => each !== null)
    return { name, ...(first ?? guess(null, reason('family-default', { family: family.modelType }))) }
  }
  const theta = table?.theta ?? null
  const positions = table?.positions ?? null
  const usesTanh = shapes.conv1d || source.layout.name === 'gguf'
  const activation =
    family.norm === 'rms'
      ? guess('silu', reason('family-default', { family: family.modelType }))
      : family.modelType === 'gpt_neox'
        ? guess('gelu', reason('family-default', { family: family.modelType }))
        : guess(usesTanh ? 'gelu_new' : 'gelu', reason('usual-for-naming', { naming: usesTanh ? 'GPT-2' : 'nanoGPT' }))
  const gpt2Positions = shapes.positions !== null && source.parts.get('positions.weight')
  return [
    pick('rms_norm_eps', usual('normEps', family.modelType.startsWith('qwen') ? 1e-6 : 1e-5)),
    pick(
      'rope_theta',
      theta === null || !table ? null : fromShape(theta, reason('from-values', { tensor: table.tensor })),
      usual('ropeTheta', family.modelType.startsWith('qwen') ? 1e6 : 10_000),
    ),
    gpt2Positions
      ? {
          name: 'max_position_embeddings',
          ...fromShape(
            shapes.positions,
            reason('from-shape', { tensor: gpt2Positions.tensor.name, shape: gpt2Positions.tensor.shape.join(', ') }),
          ),
        }
      : pick(
          'max_position_embeddings',
          positions === null || !table
            ? null
            : fromShape(positions, reason('from-shape', { tensor: table.tensor, shape: String(positions) })),
          usual('maxPositions', 2048),
        ),
    pick('hidden_act', activation),
  ]
}

/** What routing needs; families without experts have none of it. Throws "convert/config-contradicts" for routing that no family of softmax experts does. */
function inferExperts({ family, source, shapes, facts }: ConfigEvidence): readonly PlannedConfigField[] {
  if (family.experts === null) return []
  const { count, width, normalizes } = family.experts
  for (const [field, usual] of Object.entries(USUAL_ROUTING)) {
    const stated = facts.find([field])?.value
    if (stated !== undefined && stated !== usual) throw contradicts({ name: field, value: stated }, String(usual))
  }
  const shapeOf = (tensor: TensorInfo | null): ConfigReason =>
    reason('from-shape', { tensor: tensor?.name ?? '', shape: (tensor?.shape ?? []).join(', ') })
  const layers = reason('from-shape', { tensor: firstLayerWeight(source, 'router')?.name ?? '', shape: String(shapes.experts) })
  const isMinimind = shapes.vocabSize === MINIMIND.vocabSize
  // MiniMind chose two beside a shared expert, and one since it has none.
  const usualChosen = isMinimind && shapes.sharedExperts === 0 ? 1 : 2
  const usual = isMinimind ? reason('known-model', { model: 'MiniMind' }) : reason('family-default', { family: family.modelType })
  const chosen = fromFile(facts.find(['num_experts_per_tok'])) ?? guess(Math.min(usualChosen, shapes.experts), usual)
  const down = firstLayerWeight(source, 'sharedDown')
  return [
    { name: count, ...fromShape(shapes.experts, layers) },
    ...(width === null ? [] : [{ name: width, ...fromShape(shapes.intermediateSize, shapeOf(shapes.tensors.feedForward)) }]),
    ...(down === null
      ? []
      : [{ name: 'shared_expert_intermediate_size', ...fromShape((down.shape[1] ?? 0) * shapes.sharedExperts, shapeOf(down)) }]),
    { name: 'num_experts_per_tok', ...chosen },
    ...(normalizes === null ? [] : [{ name: normalizes, ...(fromFile(facts.find([normalizes])) ?? guess(true, usual)) }]),
  ]
}

/** The share of a head that GPT-NeoX rotates, and how its layers add up. */
function inferNeoxSettings({ family, facts }: ConfigEvidence): readonly PlannedConfigField[] {
  if (family.modelType !== 'gpt_neox') return []
  const usual = reason('family-default', { family: family.modelType })
  const pick = (names: readonly string[], value: ConfigValue): Candidate => fromFile(facts.find(names)) ?? guess(value, usual)
  return [
    { name: 'rotary_pct', ...pick(['rotary_pct', 'rotary_percentage', 'partial_rotary_factor'], 0.25) },
    { name: 'use_parallel_residual', ...pick(['use_parallel_residual', 'parallel_residual'], true) },
  ]
}

function inferTokens(evidence: ConfigEvidence): readonly PlannedConfigField[] {
  const { facts, tokenizer, family, shapes } = evidence
  const field = (name: 'bos_token_id' | 'eos_token_id', id: number | null, usual: number): PlannedConfigField => {
    const stated = fromFile(facts.find([name, `tokenizer.ggml.${name}`]))
    if (stated) return { name, ...stated }
    if (id !== null) return { name, value: id, origin: 'file', reason: reason('from-tokenizer', { token: name.slice(0, 3) }) }
    return { name, ...guess(usual < shapes.vocabSize ? usual : null, reason('family-default', { family: family.modelType })) }
  }
  const gpt2End = 50_256
  const byType: Readonly<Record<string, { readonly bos: number; readonly eos: number }>> = {
    gpt2: { bos: gpt2End, eos: gpt2End },
    gpt_neox: { bos: 0, eos: 0 },
  }
  const usual = byType[family.modelType] ?? { bos: 1, eos: 2 }
  return [field('bos_token_id', tokenizer?.bosTokenId ?? null, usual.bos), field('eos_token_id', tokenizer?.eosTokenId ?? null, usual.eos)]
}

function inferSizes({ shapes, source, family }: ConfigEvidence): readonly PlannedConfigField[] {
  const shapeOf = (name: string, value: number, tensor: keyof DecoderShapes['tensors']): PlannedConfigField => {
    const { name: from, shape } = shapes.tensors[tensor]
    return { name, ...fromShape(value, reason('from-shape', { tensor: from, shape: shape.join(', ') })) }
  }
  const biases = family.biases.flatMap(({ parts, field }) => {
    if (field === null) return []
    const isPresent = parts.some((slot) => hasPart(source, slot, 'bias'))
    const why = reason(isPresent ? 'with-biases' : 'without-biases', { parts: parts.join(', ') })
    return [{ name: field, ...fromShape(isPresent, why) }]
  })
  return [
    shapeOf('vocab_size', shapes.vocabSize, 'embedding'),
    shapeOf('hidden_size', shapes.hiddenSize, 'embedding'),
    shapeOf('intermediate_size', shapes.intermediateSize, 'feedForward'),
    { name: 'num_hidden_layers', ...fromShape(shapes.layers, reason('from-layers', { count: shapes.layers })) },
    ...biases,
  ]
}

/** What the person answered wins, except over what the shapes prove. Throws "convert/config-contradicts". */
function withAnswers(fields: readonly PlannedConfigField[], settings: ConfigEvidence['settings']): readonly PlannedConfigField[] {
  const names = new Set(fields.map(({ name }) => name))
  const answered = fields.map((field) => {
    const answer = settings[field.name]
    if (answer === undefined || answer === field.value)
      return answer === undefined ? field : { ...field, origin: 'answer' as const, reason: reason('answered') }
    if (field.origin === 'shape' && field.name !== 'rope_theta' && field.name !== 'max_position_embeddings')
      throw contradicts({ name: field.name, value: answer }, `${String(field.value)}: ${field.reason.text}`)
    return { ...field, value: answer, origin: 'answer' as const, reason: reason('answered') }
  })
  const more = Object.entries(settings).filter(([name]) => !names.has(name))
  return [...answered, ...more.map(([name, value]) => ({ name, value, origin: 'answer' as const, reason: reason('answered') }))]
}

/** Fields under the family's names, without those that it does not have. */
function ofFamily(fields: readonly PlannedConfigField[], { fieldNames }: TargetFamily): readonly PlannedConfigField[] {
  return fields.flatMap((field) => {
    const name = fieldNames[field.name] === undefined ? field.name : fieldNames[field.name]
    return name === null || name === undefined ? [] : [{ ...field, name }]
  })
}

/** Answers under the family's own names count as those of the common ones. */
function commonNames({ settings, family }: ConfigEvidence): ConfigEvidence['settings'] {
  const common = new Map(Object.entries(family.fieldNames).map(([name, own]) => [own, name]))
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [common.get(name) ?? name, value]))
}

/** Infers every field of config.json. Throws "convert/config-contradicts" for heads that do not divide the projections and answers against the shapes. */
export function inferConfig(given: ConfigEvidence): InferredConfig {
  const evidence = { ...given, settings: commonNames(given) }
  const { fields: headFields, heads } = inferHeads(evidence)
  const tie: PlannedConfigField = { name: 'tie_word_embeddings', ...fromShape(evidence.tied.value, evidence.tied.reason) }
  const all = [
    ...inferSizes(evidence),
    ...headFields,
    ...inferSettings(evidence),
    ...inferExperts(evidence),
    ...inferNeoxSettings(evidence),
    ...inferTokens(evidence),
    tie,
  ]
  return { ...heads, fields: ofFamily(withAnswers(all, evidence.settings), evidence.family) }
}

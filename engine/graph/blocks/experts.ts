// Mixture of experts: a router chooses experts for every row; each expert computes only the rows that chose it.
import type { ExpertsConfig } from '../../config/decoder-config'
import type { Parts } from '../parts'
import { addActivation } from './activation'
import { addFeedForward } from './feed-forward'
import { addLinear } from './linear'
import { addScale } from './norm'
import { moduleOf, type BlockPlace } from './projections'
import { addSparseMixer } from './sparse-mixer'

interface ExpertsPlace extends BlockPlace {
  readonly experts: ExpertsConfig
}

interface Routing {
  /** [rows, perToken] I64 */
  readonly chosen: string
  /** [rows, perToken] F32 */
  readonly shares: string
}

/** Scores of experts outside of the best groups become zero, as group-limited routing asks. Scores: [rows, count]. */
function addGroupLimit(parts: Parts, scores: string, { path, experts }: ExpertsPlace): string {
  const { builder } = parts
  const { groups, count } = experts
  if (groups === null) return scores
  const size = count / groups.count
  const node = (name: string, op: string, inputs: readonly string[], attributes = {}): string =>
    builder.node({ path: `${path}/groups/${name}`, op, inputs, attributes })
  const apart = node('Reshape', 'Reshape', [scores, builder.int64([-1, groups.count, size])])
  const depth = groups.score === 'max' ? 1 : 2
  const best = builder.node({
    path: `${path}/groups/TopK`,
    op: 'TopK',
    inputs: [apart, builder.int64([depth])],
    outputs: [`${path}/groups/TopK/output_0`, `${path}/groups/TopK/output_1`],
    attributes: { axis: { int: -1 } },
  })
  const groupScores = node('ReduceSum', 'ReduceSum', [best, builder.int64([-1])], { keepdims: { int: 0 } })
  const chosen = `${path}/groups/TopK_1/output_1`
  builder.node({
    path: `${path}/groups/TopK_1`,
    op: 'TopK',
    inputs: [groupScores, builder.int64([groups.chosen])],
    outputs: [`${path}/groups/TopK_1/output_0`, chosen],
    attributes: { axis: { int: -1 } },
  })
  const none = node('Mul', 'Mul', [groupScores, builder.float32('0', 0)])
  const shape = node('Shape', 'Shape', [chosen])
  const ones = node('Expand', 'Expand', [builder.float32('1', 1), shape])
  const mask = node('ScatterElements', 'ScatterElements', [none, chosen, ones], { axis: { int: 1 } })
  const wide = node('Unsqueeze', 'Unsqueeze', [mask, builder.int64([-1])])
  const kept = node('Greater', 'Greater', [wide, builder.float32('0', 0)])
  // Corrected scores may be negative, so that zero would win there.
  const excluded = groups.score === 'max' ? builder.float32('0', 0) : builder.float32('lowest', -3e38)
  const limited = node('Where', 'Where', [kept, apart, excluded])
  return node('Reshape_1', 'Reshape', [limited, builder.int64([-1, count])])
}

/**
 * Adds the router.
 *
 *     x ── Gemm ── scoring ─┬─ (+ correction) ── (group limit) ── TopK ── chosen
 *                           └───────────────────── GatherElements ── (normalize) ── scale ── shares
 */
function addRouter(parts: Parts, x: string, place: ExpertsPlace): Routing {
  const { builder, config, weights } = parts
  const { path, folder, experts } = place
  const module = moduleOf(folder, config.names.experts?.router)
  const logits = addLinear(parts, x, {
    path: `${path}/router`,
    module,
    inFeatures: config.hiddenSize,
    outFeatures: experts.count,
    bias: experts.routerBias,
    exact: true,
  })
  const node = (name: string, op: string, inputs: readonly string[], attributes = {}): string =>
    builder.node({ path: `${path}/router/${name}`, op, inputs, attributes })
  if (experts.scoring === 'sparse-mixer') return addSparseMixer(builder, { path: `${path}/router`, logits, jitter: experts.jitter ?? 0 })
  const scores =
    experts.scoring === 'softmax'
      ? node('Softmax', 'Softmax', [logits], { axis: { int: -1 } })
      : experts.scoring === 'sigmoid'
        ? node('Sigmoid', 'Sigmoid', [logits])
        : logits
  const correction = experts.correction
    ? weights.vector({ tensor: moduleOf(folder, config.names.experts?.correction), shape: [experts.count] })
    : null
  const corrected = correction === null ? scores : node('Add', 'Add', [scores, correction])
  const limited = addGroupLimit(parts, corrected, place)
  const chosen = `${path}/router/TopK/output_1`
  const values = builder.node({
    path: `${path}/router/TopK`,
    op: 'TopK',
    inputs: [limited, builder.int64([experts.perToken])],
    outputs: [`${path}/router/TopK/output_0`, chosen],
    attributes: { axis: { int: -1 } },
  })
  const picked = correction === null ? values : node('GatherElements', 'GatherElements', [scores, chosen], { axis: { int: -1 } })
  const shares = experts.scoring === 'softmax-of-chosen' ? node('Softmax_1', 'Softmax', [picked], { axis: { int: -1 } }) : picked
  const total = experts.normalize ? node('ReduceSum', 'ReduceSum', [shares, builder.int64([-1])], { keepdims: { int: 1 } }) : null
  const safe =
    total === null || experts.smallestSum === 0
      ? total
      : node('Add_1', 'Add', [total, builder.float32(String(experts.smallestSum), experts.smallestSum)])
  const normalized = safe === null ? shares : node('Div', 'Div', [shares, safe])
  return { chosen, shares: addScale(builder, normalized, { path: `${path}/router/scale`, scale: experts.scale }) }
}

/** One expert's feed-forward. x: [n, hiddenSize] F32 with any n, zero included. */
function addExpert(parts: Parts, x: string, place: ExpertsPlace & { readonly index: number }): string {
  const { config } = parts
  const { path, folder, experts, index } = place
  const { hiddenSize } = config
  const names = config.names.experts
  const size = experts.intermediateSize
  const module = (name: string | null | undefined): string => moduleOf(folder, name).replaceAll('{e}', String(index))
  const { activation } = config.feedForward
  if (experts.storage === 'separate') {
    const modules = {
      gate: module(names?.gate),
      up: module(names?.up),
      gateUp: module(names?.gateUp),
      down: module(names?.down),
      activation: '',
    }
    const feedForward = { kind: 'gated', joined: false, activation, bias: { up: false, down: false } } as const
    return addFeedForward(parts, x, { path, modules, hiddenSize, intermediateSize: size, feedForward, layout: 'out-in' })
  }
  return addStackedExpert(parts, x, { ...place, gateUp: module(names?.gateUp), down: module(names?.down) })
}

/** Bound of GPT-OSS's gates, and the steepness of their sigmoid. Source: Transformers 5.18 modeling_gpt_oss.py. */
const GATE_LIMIT = 7
const GATE_ALPHA = 1.702

/** Gate and up columns that alternate: gate * sigmoid(alpha * gate) * (up + 1), both bounded. both: [n, 2 * size]. */
function addClippedGate(parts: Parts, both: string, { path, size }: { readonly path: string; readonly size: number }): string {
  const { builder } = parts
  const node = (name: string, op: string, inputs: readonly string[]): string => builder.node({ path: `${path}/${name}`, op, inputs })
  const number = (value: number): string => builder.float32(String(value), value)
  const pairs = node('pairs/Reshape', 'Reshape', [both, builder.int64([-1, size, 2])])
  const column = (index: number): string =>
    builder.node({
      path: `${path}/column_${index}/Gather`,
      op: 'Gather',
      inputs: [pairs, builder.int64([index])],
      attributes: { axis: { int: 2 } },
    })
  const flat = (name: string, value: string): string => node(`${name}/Reshape`, 'Reshape', [value, builder.int64([-1, size])])
  const gate = node('gate/Min', 'Min', [flat('gate', column(0)), number(GATE_LIMIT)])
  const up = node('up/Clip', 'Clip', [flat('up', column(1)), number(-GATE_LIMIT), number(GATE_LIMIT)])
  const sigmoid = node('gate/Sigmoid', 'Sigmoid', [node('gate/Mul', 'Mul', [gate, number(GATE_ALPHA)])])
  return node('Mul', 'Mul', [node('gate/Mul_1', 'Mul', [gate, sigmoid]), node('up/Add', 'Add', [up, number(1)])])
}

/** An expert that is a part of tensors for all experts; `gateUp` and `down` name those tensors. */
function addStackedExpert(
  parts: Parts,
  x: string,
  place: ExpertsPlace & { readonly index: number; readonly gateUp: string; readonly down: string },
): string {
  const { builder, config } = parts
  const { path, experts, index } = place
  const size = experts.intermediateSize
  const interleaved = experts.storage === 'interleaved'
  const common = {
    module: '',
    bias: interleaved,
    layout: interleaved ? ('in-out' as const) : ('out-in' as const),
    slice: { index, count: experts.count },
  }
  const both = addLinear(parts, x, {
    ...common,
    path: `${path}/gate_up_proj`,
    tensor: place.gateUp,
    biasTensor: `${place.gateUp}_bias`,
    inFeatures: config.hiddenSize,
    outFeatures: 2 * size,
  })
  const narrow = {
    ...common,
    path: `${path}/down_proj`,
    tensor: place.down,
    biasTensor: `${place.down}_bias`,
    inFeatures: size,
    outFeatures: config.hiddenSize,
  }
  if (interleaved) return addLinear(parts, addClippedGate(parts, both, { path, size }), narrow)
  const up = `${path}/Split/output_1`
  const gate = builder.node({
    path: `${path}/Split`,
    op: 'Split',
    inputs: [both],
    outputs: [`${path}/Split/output_0`, up],
    attributes: { axis: { int: -1 }, num_outputs: { int: 2 } },
  })
  const activated = addActivation(parts, { path: `${path}/act_fn`, x: gate, activation: config.feedForward.activation })
  return addLinear(parts, builder.node({ path: `${path}/Mul`, op: 'Mul', inputs: [activated, up] }), narrow)
}

/** Adds one expert's share to the sum. */
function addExpertShare(
  parts: Parts,
  sum: string,
  options: ExpertsPlace & { readonly x: string; readonly routing: Routing; readonly index: number },
): string {
  const { builder } = parts
  const { x, routing, index } = options
  const path = `${options.path}/experts.${index}`
  const node = (name: string, op: string, inputs: readonly string[], attributes = {}): string =>
    builder.node({ path: `${path}/${name}`, op, inputs, attributes })
  const hits = node('Equal', 'Equal', [routing.chosen, builder.int64([index])])
  const places = node('NonZero', 'NonZero', [hits])
  const pairs = node('Transpose', 'Transpose', [places], { perm: { ints: [1, 0] } })
  const share = node('GatherND', 'GatherND', [routing.shares, pairs])
  const rows = node('Gather_rows', 'Gather', [places, builder.int64([0])], { axis: { int: 0 } })
  const rowList = node('Reshape', 'Reshape', [rows, builder.int64([-1])])
  const rowPairs = node('Unsqueeze', 'Unsqueeze', [rowList, builder.int64([-1])])
  const taken = node('Gather', 'Gather', [x, rowList], { axis: { int: 0 } })
  const result = addExpert(parts, taken, { ...options, path, index })
  const weighted = node('Mul_share', 'Mul', [result, node('Unsqueeze_share', 'Unsqueeze', [share, builder.int64([-1])])])
  return node('ScatterND', 'ScatterND', [sum, rowPairs, weighted], { reduction: { text: 'add' } })
}

function addShared(parts: Parts, x: string, { path, folder, experts }: ExpertsPlace): string | null {
  const { builder, config } = parts
  const names = config.names.experts?.shared
  if (experts.shared === null || names === undefined) return null
  const modules = {
    gate: moduleOf(folder, names.gate),
    up: moduleOf(folder, names.up),
    gateUp: moduleOf(folder, names.gateUp),
    down: moduleOf(folder, names.down),
    activation: '',
  }
  const joined = typeof names.gateUp === 'string'
  const feedForward = { kind: 'gated', joined, activation: config.feedForward.activation, bias: { up: false, down: false } } as const
  const { intermediateSize } = experts.shared
  const result = addFeedForward(parts, x, {
    path: `${path}/shared`,
    modules,
    hiddenSize: config.hiddenSize,
    intermediateSize,
    feedForward,
    layout: 'out-in',
  })
  if (!experts.shared.gated) return result
  const module = moduleOf(folder, names.weight)
  const score = addLinear(parts, x, {
    path: `${path}/shared_gate`,
    module,
    inFeatures: config.hiddenSize,
    outFeatures: 1,
    bias: false,
    exact: true,
  })
  const share = builder.node({ path: `${path}/shared_gate/Sigmoid`, op: 'Sigmoid', inputs: [score] })
  return builder.node({ path: `${path}/shared_gate/Mul`, op: 'Mul', inputs: [result, share] })
}

/**
 * Adds the experts of a layer. x: [rows, hiddenSize] F32, same shape out.
 *
 *     x ─┬─ router ── chosen, shares
 *        ├─ for each expert: rows that chose it ── Gather ── feed-forward ── Mul(share) ── ScatterND(add) ── ... ── Add ── y
 *        └─ (shared experts) ─────────────────────────────────────────────────────────────────────────────────────┘
 */
export function addExperts(parts: Parts, x: string, place: ExpertsPlace): string {
  const { builder } = parts
  const { path, experts } = place
  const routing = addRouter(parts, x, place)
  const shape = builder.node({ path: `${path}/zeros/Shape`, op: 'Shape', inputs: [x] })
  let sum = builder.node({ path: `${path}/zeros/ConstantOfShape`, op: 'ConstantOfShape', inputs: [shape] })
  for (let index = 0; index < experts.count; index++) sum = addExpertShare(parts, sum, { ...place, x, routing, index })
  const shared = addShared(parts, x, place)
  return shared === null ? sum : builder.node({ path: `${path}/Add`, op: 'Add', inputs: [sum, shared] })
}

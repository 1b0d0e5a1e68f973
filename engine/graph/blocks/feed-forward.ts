// Dense feed-forward blocks: gated and plain.
import type { FeedForwardConfig, NormConfig } from '../../config/decoder-config'
import type { Graph } from '../parts'
import type { MatrixLayout } from '../weights'
import { addActivation } from './activation'
import { addLinear, type LinearSpec } from './linear'
import { addNorm } from './norm'

/** A feed-forward block; `modules` are tensor folders, `gateUp` the joined one. */
export interface FeedForwardSpec {
  readonly path: string
  readonly modules: {
    readonly gate: string
    readonly up: string
    readonly gateUp: string
    readonly down: string
    readonly activation: string
    /** Of the norm before the down projection; empty where there is none. */
    readonly beforeDown?: string
  }
  readonly norm?: NormConfig
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly feedForward: FeedForwardConfig
  readonly layout: MatrixLayout
}

function addGateAndUp(graph: Graph, x: string, spec: FeedForwardSpec, widen: Pick<LinearSpec, 'inFeatures' | 'bias' | 'layout'>) {
  const { path, modules, intermediateSize } = spec
  if (!spec.feedForward.joined) {
    return {
      gate: addLinear(graph, x, { path: `${path}/gate_proj`, module: modules.gate, outFeatures: intermediateSize, ...widen }),
      up: addLinear(graph, x, { path: `${path}/up_proj`, module: modules.up, outFeatures: intermediateSize, ...widen }),
    }
  }
  const both = addLinear(graph, x, { path: `${path}/gate_up_proj`, module: modules.gateUp, outFeatures: 2 * intermediateSize, ...widen })
  const up = `${path}/gate_up_proj/Split/output_1`
  const gate = graph.builder.node({
    path: `${path}/gate_up_proj/Split`,
    op: 'Split',
    inputs: [both],
    outputs: [`${path}/gate_up_proj/Split/output_0`, up],
    attributes: { axis: { int: -1 }, num_outputs: { int: 2 } },
  })
  return { gate, up }
}

/**
 * Adds a feed-forward block. x: [rows, hiddenSize] F32, same shape out. Source: GLU variants (arXiv 2002.05202).
 *
 *     gated: x ─┬─ gate ── activation ─┐                 plain: x ── up ── activation ── down ── y
 *               └─ up ────────────────Mul ── (norm) ── down ── y
 */
export function addFeedForward(graph: Graph, x: string, spec: FeedForwardSpec): string {
  const { path, modules, hiddenSize, intermediateSize, feedForward, layout } = spec
  const { activation, bias } = feedForward
  const widen = { inFeatures: hiddenSize, bias: bias.up, layout }
  const narrow = { inFeatures: intermediateSize, outFeatures: hiddenSize, bias: bias.down, layout }
  if (feedForward.kind === 'plain') {
    const up = addLinear(graph, x, { path: `${path}/up_proj`, module: modules.up, outFeatures: intermediateSize, ...widen })
    const activated = addActivation(graph, { path: `${path}/act_fn`, x: up, activation, module: modules.activation })
    return addLinear(graph, activated, { path: `${path}/down_proj`, module: modules.down, ...narrow })
  }
  const { gate, up } = addGateAndUp(graph, x, spec, widen)
  const activated = addActivation(graph, { path: `${path}/act_fn`, x: gate, activation, module: modules.activation })
  const product = graph.builder.node({ path: `${path}/Mul`, op: 'Mul', inputs: [activated, up] })
  const { beforeDown = '' } = modules
  const normed =
    beforeDown === '' || spec.norm === undefined
      ? product
      : addNorm(graph, product, { path: `${path}/sub_norm`, module: beforeDown, norm: spec.norm, size: intermediateSize })
  return addLinear(graph, normed, { path: `${path}/down_proj`, module: modules.down, ...narrow })
}

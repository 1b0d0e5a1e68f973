// Feed-forward blocks and their activations.
import type { Activation } from '../../config/decoder-config'
import type { GraphBuilder } from '../builder'
import type { WeightStore } from '../weights'
import { addLinear } from './linear'

/**
 * Adds an activation, elementwise on F32.
 *
 *     silu:  x ─┬─ Sigmoid ─ Mul ── y        gelu, gelu_pytorch_tanh:  x ── Gelu(approximate) ── y        relu:  x ── Relu ── y
 *               └─────────────┘
 */
function addActivation(
  builder: GraphBuilder,
  options: { readonly path: string; readonly x: string; readonly activation: Activation },
): string {
  const { path, x, activation } = options
  switch (activation) {
    case 'silu': {
      const sigmoid = builder.node({ path: `${path}/Sigmoid`, op: 'Sigmoid', inputs: [x] })
      return builder.node({ path: `${path}/Mul`, op: 'Mul', inputs: [x, sigmoid] })
    }
    case 'gelu':
      return builder.node({ path: `${path}/Gelu`, op: 'Gelu', inputs: [x], attributes: { approximate: { text: 'none' } } })
    case 'gelu_pytorch_tanh':
      return builder.node({ path: `${path}/Gelu`, op: 'Gelu', inputs: [x], attributes: { approximate: { text: 'tanh' } } })
    case 'relu':
      return builder.node({ path: `${path}/Relu`, op: 'Relu', inputs: [x] })
  }
}

/** A gated feed-forward block; `modules` are tensor folders. */
export interface GatedFeedForwardSpec {
  readonly path: string
  readonly modules: { readonly gate: string; readonly up: string; readonly down: string }
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly activation: Activation
  readonly bias: boolean
}

/**
 * Adds a gated feed-forward block. x: [rows, hiddenSize] F32, same shape out. Source: GLU variants (arXiv 2002.05202).
 *
 *     x ─┬─ gate ── activation ─┐
 *        └─ up ────────────────Mul ── down ── y
 */
export function addGatedFeedForward(
  graph: { readonly builder: GraphBuilder; readonly weights: WeightStore },
  x: string,
  spec: GatedFeedForwardSpec,
): string {
  const { path, modules, hiddenSize, intermediateSize, activation, bias } = spec
  const widen = { inFeatures: hiddenSize, outFeatures: intermediateSize, bias }
  const gate = addLinear(graph, x, { path: `${path}/gate_proj`, module: modules.gate, ...widen })
  const activated = addActivation(graph.builder, { path: `${path}/act_fn`, x: gate, activation })
  const up = addLinear(graph, x, { path: `${path}/up_proj`, module: modules.up, ...widen })
  const product = graph.builder.node({ path: `${path}/Mul`, op: 'Mul', inputs: [activated, up] })
  return addLinear(graph, product, {
    path: `${path}/down_proj`,
    module: modules.down,
    inFeatures: intermediateSize,
    outFeatures: hiddenSize,
    bias,
  })
}

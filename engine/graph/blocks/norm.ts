// Normalization blocks: RMS norm and layer norm, and RMS norm fused with the residual sum before it.
import type { NormConfig } from '../../config/decoder-config'
import type { GraphBuilder } from '../builder'
import type { Graph } from '../parts'

/** A norm over the last axis of x, which has `size` elements; `module` is the tensor folder. */
export interface NormSpec {
  readonly path: string
  readonly module: string
  readonly norm: NormConfig
  readonly size: number
}

/** The norm's weight as it multiplies: the stored one, one more than it, or ones where there is none. */
function addWeight({ builder, weights }: Graph, spec: NormSpec): string {
  const { norm, size, module, path } = spec
  if (!norm.weight) return builder.float32(`ones[${size}]`, new Array<number>(size).fill(1))
  const weight = weights.vector({ tensor: `${module}.weight`, shape: [size] })
  if (!norm.plusOne) return weight
  return builder.node({ path: `${path}/plus_one/Add`, op: 'Add', inputs: [weight, builder.float32('1', 1)] })
}

/**
 * Adds a norm. x: [..., size] F32, same shape out. Sources: RMSNorm (arXiv 1910.07467), epsilon inside the root as in Transformers; LayerNorm (arXiv 1607.06450).
 *
 *     x ── SimplifiedLayerNormalization or LayerNormalization ── y
 *                     │
 *                weight, bias?
 */
export function addNorm(graph: Graph, x: string, spec: NormSpec): string {
  const { path, module, norm, size } = spec
  const op = norm.kind === 'rms' ? 'SimplifiedLayerNormalization' : 'LayerNormalization'
  const bias = norm.bias ? [graph.weights.vector({ tensor: `${module}.bias`, shape: [size] })] : []
  return graph.builder.node({
    path: `${path}/${op}`,
    op,
    inputs: [x, addWeight(graph, spec), ...bias],
    attributes: { axis: { int: -1 }, epsilon: { float: norm.eps } },
  })
}

/**
 * Adds a residual sum and the norm after it. x and residual: [rows, size] F32; returns both, same shape.
 *
 *     x ────────┐
 *               SkipSimplifiedLayerNormalization ── normed          (layer norms: Add, then the norm)
 *     residual ─┘              │        └────────── sum
 *                            weight
 */
export function addSumAndNorm(
  graph: Graph,
  terms: { readonly x: string; readonly residual: string },
  spec: NormSpec,
): { readonly normed: string; readonly sum: string } {
  const { path, norm } = spec
  if (norm.kind === 'layer' || norm.bias) {
    const sum = addSum(graph.builder, { path, a: terms.residual, b: terms.x })
    return { normed: addNorm(graph, sum, spec), sum }
  }
  const sum = `${path}/SkipSimplifiedLayerNormalization/output_3`
  const normed = graph.builder.node({
    path: `${path}/SkipSimplifiedLayerNormalization`,
    op: 'SkipSimplifiedLayerNormalization',
    domain: 'com.microsoft',
    inputs: [terms.x, terms.residual, addWeight(graph, spec)],
    outputs: [`${path}/SkipSimplifiedLayerNormalization/output_0`, null, null, sum],
    attributes: { epsilon: { float: norm.eps } },
  })
  return { normed, sum }
}

/** Adds a plain sum of two values of one shape. */
export function addSum(builder: GraphBuilder, spec: { readonly path: string; readonly a: string; readonly b: string }): string {
  return builder.node({ path: `${spec.path}/Add`, op: 'Add', inputs: [spec.a, spec.b] })
}

/** Multiplies with a number; one changes nothing and adds nothing. */
export function addScale(builder: GraphBuilder, x: string, spec: { readonly path: string; readonly scale: number }): string {
  if (spec.scale === 1) return x
  return builder.node({ path: `${spec.path}/Mul`, op: 'Mul', inputs: [x, builder.float32(String(spec.scale), spec.scale)] })
}

/** Bounds a value softly: cap * tanh(x / cap). */
export function addSoftCap(
  builder: GraphBuilder,
  x: string,
  spec: { readonly path: string; readonly cap: number; readonly output?: string },
): string {
  const { path, cap } = spec
  const factor = builder.float32(String(cap), cap)
  const share = builder.node({ path: `${path}/Div`, op: 'Div', inputs: [x, factor] })
  const bounded = builder.node({ path: `${path}/Tanh`, op: 'Tanh', inputs: [share] })
  return builder.node({
    path: `${path}/Mul`,
    op: 'Mul',
    inputs: [bounded, factor],
    ...(spec.output === undefined ? {} : { outputs: [spec.output] as const }),
  })
}

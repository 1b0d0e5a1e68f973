// The linear block: x * W^T + b on rows, with W in the checkpoint's own [out, in] layout.
import type { GraphBuilder } from '../builder'
import type { WeightStore } from '../weights'

/** A linear layer: `module` is the tensor folder (`.weight`, `.bias` follow), `path` the node's folder. */
export interface LinearSpec {
  readonly path: string
  readonly module: string
  readonly inFeatures: number
  readonly outFeatures: number
  readonly bias: boolean
}

/**
 * Adds a linear layer. x: [rows, inFeatures] F32, returns [rows, outFeatures] F32.
 *
 *     x ── Gemm(transB=1) ── y
 *           │  │
 *        weight  bias?
 */
export function addLinear(graph: { readonly builder: GraphBuilder; readonly weights: WeightStore }, x: string, spec: LinearSpec): string {
  const { path, module, inFeatures, outFeatures } = spec
  const weight = graph.weights.linear({ tensor: `${module}.weight`, shape: [outFeatures, inFeatures] }, x)
  const bias = spec.bias ? [graph.weights.vector({ tensor: `${module}.bias`, shape: [outFeatures] })] : []
  return graph.builder.node({ path: `${path}/Gemm`, op: 'Gemm', inputs: [x, weight.value, ...bias], attributes: { transB: { int: 1 } } })
}

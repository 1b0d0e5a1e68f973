// The linear block: x * W^T + b on rows, with W in the checkpoint's own layout.
import type { Graph } from '../parts'
import type { MatrixLayout, StackedSlice } from '../weights'

/** A linear layer: `module` is the tensor folder (`.weight`, `.bias` follow), `path` the node's folder. */
export interface LinearSpec {
  readonly path: string
  readonly module: string
  readonly inFeatures: number
  readonly outFeatures: number
  readonly bias: boolean
  /** Default 'out-in', as torch's Linear stores it. */
  readonly layout?: MatrixLayout
  /** Names the weight's tensor where it is not `<module>.weight`. */
  readonly tensor?: string
  readonly biasTensor?: string
  /** The matrix is one of several that are stacked in the tensor. */
  readonly slice?: StackedSlice
  /** Name of the result, for an output of the graph. */
  readonly output?: string
}

/**
 * Adds a linear layer; the only way a matrix gets into the graph. x: [rows, inFeatures] F32, returns [rows, outFeatures] F32.
 *
 *     x ── Gemm(transB where out-in) ── y
 *           │  │
 *        weight  bias?
 */
export function addLinear(graph: Graph, x: string, spec: LinearSpec): string {
  const { path, module, inFeatures, outFeatures, layout = 'out-in', slice } = spec
  const shape = layout === 'out-in' ? [outFeatures, inFeatures] : [inFeatures, outFeatures]
  const place = slice === undefined ? {} : { slice }
  const weight = graph.weights.linear({ tensor: spec.tensor ?? `${module}.weight`, shape, layout, ...place }, x)
  const bias = spec.bias ? [graph.weights.vector({ tensor: spec.biasTensor ?? `${module}.bias`, shape: [outFeatures], ...place })] : []
  return graph.builder.node({
    path: `${path}/Gemm`,
    op: 'Gemm',
    inputs: [x, weight.value, ...bias],
    ...(spec.output === undefined ? {} : { outputs: [spec.output] as const }),
    attributes: { transB: { int: layout === 'out-in' ? 1 : 0 } },
  })
}

// The linear block: x * W^T + b on rows, with W in the checkpoint's own layout.
import type { Graph } from '../parts'
import type { MatrixLayout, NBitsWeight, StackedSlice } from '../weights'

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
  /** The weight is never quantized. */
  readonly exact?: boolean
  /** The matrix is the head, or the table that stands for it. */
  readonly isHead?: boolean
}

/** Rounding of activations to 8 bits while multiplying (com.microsoft.MatMulNBits): without it the processor computes in F32, several times slower. */
const ACCURACY_LEVEL_INT8 = 4

/**
 * x * W^T + b with a quantized W; where its columns lie in another order (GPTQ's desc_act), x is put into that order.
 *
 *     x ── (Gather) ── MatMulNBits ── y
 */
function addQuantizedLinear(
  { builder }: Graph,
  inputs: { readonly x: string; readonly weight: NBitsWeight; readonly bias: readonly string[] },
  spec: LinearSpec,
): string {
  const { x, weight, bias } = inputs
  const { format, shape, inputOrder } = weight
  const ordered =
    inputOrder === null
      ? x
      : builder.node({
          path: `${spec.path}/order/Gather`,
          op: 'Gather',
          inputs: [x, builder.int64([...inputOrder])],
          attributes: { axis: { int: 1 } },
        })
  return builder.node({
    path: `${spec.path}/MatMulNBits`,
    op: 'MatMulNBits',
    domain: 'com.microsoft',
    inputs: [ordered, weight.codes, weight.scales, weight.zeroPoints, null, bias[0] ?? null],
    ...(spec.output === undefined ? {} : { outputs: [spec.output] as const }),
    attributes: {
      K: { int: shape.columns },
      N: { int: shape.rows },
      bits: { int: format.bits },
      block_size: { int: format.blockSize },
      accuracy_level: { int: ACCURACY_LEVEL_INT8 },
    },
  })
}

/**
 * Adds a linear layer; the only way a matrix gets into the graph. x: [rows, inFeatures] F32, returns [rows, outFeatures] F32.
 *
 *     x ── Gemm(transB where out-in), or MatMulNBits ── y
 *           │  │
 *        weight  bias?
 */
export function addLinear(graph: Graph, x: string, spec: LinearSpec): string {
  const { path, module, inFeatures, outFeatures, layout = 'out-in', slice } = spec
  const shape = layout === 'out-in' ? [outFeatures, inFeatures] : [inFeatures, outFeatures]
  const place = slice === undefined ? {} : { slice }
  const kind = { exact: spec.exact === true, isHead: spec.isHead === true }
  const weight = graph.weights.linear({ tensor: spec.tensor ?? `${module}.weight`, shape, layout, ...place, ...kind }, x)
  const bias = spec.bias ? [graph.weights.vector({ tensor: spec.biasTensor ?? `${module}.bias`, shape: [outFeatures], ...place })] : []
  if (weight.kind === 'nbits') return addQuantizedLinear(graph, { x, weight, bias }, spec)
  return graph.builder.node({
    path: `${path}/Gemm`,
    op: 'Gemm',
    inputs: [x, weight.value, ...bias],
    ...(spec.output === undefined ? {} : { outputs: [spec.output] as const }),
    attributes: { transB: { int: weight.layout === 'out-in' ? 1 : 0 } },
  })
}

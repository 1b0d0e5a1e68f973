// Norms of queries and keys before or after rotation.
import type { QueryKeyNormConfig } from '../../config/decoder-config'
import type { Graph } from '../parts'
import { addNorm } from './norm'

/** Heads lying side by side in x: [rows, numHeads * headDim] F32; `module` is the norm's tensor folder. */
interface NormedHeads {
  readonly path: string
  readonly module: string
  readonly numHeads: number
  readonly headDim: number
}

/** The weights of all heads as one [numHeads, headDim] value. */
function addHeadWeights({ builder, weights }: Graph, heads: NormedHeads, scope: 'rows' | 'separate'): string {
  const { path, module, numHeads, headDim } = heads
  if (scope === 'rows') return weights.vector({ tensor: `${module}.weight`, shape: [numHeads, headDim] })
  const rows = Array.from({ length: numHeads }, (_, head) => weights.vector({ tensor: `${module}.norms.${head}.weight`, shape: [headDim] }))
  const joined = builder.node({ path: `${path}/weights/Concat`, op: 'Concat', inputs: rows, attributes: { axis: { int: 0 } } })
  return builder.node({ path: `${path}/weights/Reshape`, op: 'Reshape', inputs: [joined, builder.int64([numHeads, headDim])] })
}

/**
 * Adds a norm of queries or keys; same shape out.
 *
 *     projection: x ── norm ── y      head, rows, separate: x ── Reshape(heads apart) ── norm ── (Mul(weights by head)) ── Reshape(side by side) ── y
 */
export function addQueryKeyNorm(graph: Graph, x: string, options: NormedHeads & { readonly config: QueryKeyNormConfig }): string {
  const { builder } = graph
  const { path, module, numHeads, headDim, config } = options
  const { scope, norm } = config
  if (scope === 'projection') return addNorm(graph, x, { path, module, norm, size: numHeads * headDim })
  const apart = builder.node({ path: `${path}/apart/Reshape`, op: 'Reshape', inputs: [x, builder.int64([-1, numHeads, headDim])] })
  const plain = { ...norm, weight: scope === 'head', bias: scope === 'head' && norm.bias }
  const normed = addNorm(graph, apart, { path, module, norm: plain, size: headDim })
  const weighted =
    scope === 'head' ? normed : builder.node({ path: `${path}/Mul`, op: 'Mul', inputs: [normed, addHeadWeights(graph, options, scope)] })
  return builder.node({ path: `${path}/joined/Reshape`, op: 'Reshape', inputs: [weighted, builder.int64([-1, numHeads * headDim])] })
}

// Normalization blocks: RMS norm alone, and fused with the residual sum before it.
import type { GraphBuilder } from '../builder'

/**
 * Adds an RMS norm. x: [rows, hiddenSize] F32, same shape out. Source: RMSNorm (arXiv 1910.07467), epsilon inside the root as in Transformers.
 *
 *     x ── SimplifiedLayerNormalization ── y
 *                     │
 *                   weight
 */
export function addRmsNorm(
  builder: GraphBuilder,
  options: { readonly path: string; readonly x: string; readonly weight: string; readonly epsilon: number },
): string {
  const { path, x, weight, epsilon } = options
  return builder.node({
    path: `${path}/SimplifiedLayerNormalization`,
    op: 'SimplifiedLayerNormalization',
    inputs: [x, weight],
    attributes: { axis: { int: -1 }, epsilon: { float: epsilon } },
  })
}

/**
 * Adds a residual sum and the RMS norm after it. x and residual: [rows, hiddenSize] F32; returns both, same shape.
 *
 *     x ────────┐
 *               SkipSimplifiedLayerNormalization ── normed
 *     residual ─┘              │        └────────── sum
 *                            weight
 */
export function addSkipRmsNorm(
  builder: GraphBuilder,
  options: { readonly path: string; readonly x: string; readonly residual: string; readonly weight: string; readonly epsilon: number },
): { readonly normed: string; readonly sum: string } {
  const { path, x, residual, weight, epsilon } = options
  const sum = `${path}/SkipSimplifiedLayerNormalization/output_3`
  const normed = builder.node({
    path: `${path}/SkipSimplifiedLayerNormalization`,
    op: 'SkipSimplifiedLayerNormalization',
    domain: 'com.microsoft',
    inputs: [x, residual, weight],
    outputs: [`${path}/SkipSimplifiedLayerNormalization/output_0`, null, null, sum],
    attributes: { epsilon: { float: epsilon } },
  })
  return { normed, sum }
}

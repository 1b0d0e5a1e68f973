// The router of Phi-3.5 MoE: two experts, each weighed against those whose scores lie close to its own. Follows `sparsemixer` of Transformers 5.18 (arXiv 2409.12136), outside of training.
import type { GraphBuilder } from '../builder'

/** Experts that a token gets. */
const CHOSEN = 2

/** Router scores `logits` [rows, count] F32 and how far below the best a score may lie, as a share of the larger size of both. */
interface SparseMixerSpec {
  readonly path: string
  readonly logits: string
  readonly jitter: number
}

type Node = (name: string, op: string, inputs: readonly string[], attributes?: Readonly<Record<string, { readonly int: number }>>) => string

/**
 * The share of a best score: 1 / sum(exp(s - best)) over the close ones. Out: [rows, 1] F32.
 *
 *     (best - s) / max(|s|, best) > 2 jitter, or excluded ── Where(0, exp(s - best)) ── ReduceSum ── Reciprocal ── y
 */
function addShare(
  builder: GraphBuilder,
  node: Node,
  spec: SparseMixerSpec & { readonly name: string; readonly best: string; readonly excluded: string | null },
): string {
  const { logits, jitter, name, best, excluded } = spec
  const below = node(`${name}/Sub`, 'Sub', [best, logits])
  const size = node(`${name}/Max`, 'Max', [node(`${name}/Abs`, 'Abs', [logits]), best])
  const limit = builder.float32(String(2 * jitter), 2 * jitter)
  const far = node(`${name}/Greater`, 'Greater', [node(`${name}/Div`, 'Div', [below, size]), limit])
  const out = excluded === null ? far : node(`${name}/Or`, 'Or', [far, excluded])
  const weight = node(`${name}/Exp`, 'Exp', [node(`${name}/Neg`, 'Neg', [below])])
  const close = node(`${name}/Where`, 'Where', [out, builder.float32('0', 0), weight])
  const sum = node(`${name}/ReduceSum`, 'ReduceSum', [close, builder.int64([-1])], { keepdims: { int: 1 } })
  return node(`${name}/Reciprocal`, 'Reciprocal', [sum])
}

/** Adds the choice: `chosen` [rows, 2] I64 and `shares` [rows, 2] F32. The second expert's share leaves the first one out. */
export function addSparseMixer(builder: GraphBuilder, spec: SparseMixerSpec): { readonly chosen: string; readonly shares: string } {
  const { path, logits } = spec
  const node: Node = (name, op, inputs, attributes = {}) => builder.node({ path: `${path}/${name}`, op, inputs, attributes })
  const chosen = `${path}/TopK/output_1`
  const values = builder.node({
    path: `${path}/TopK`,
    op: 'TopK',
    inputs: [logits, builder.int64([CHOSEN])],
    outputs: [`${path}/TopK/output_0`, chosen],
    attributes: { axis: { int: -1 } },
  })
  const column = (name: string, of: string, index: number): string =>
    node(`${name}/Slice`, 'Slice', [of, builder.int64([index]), builder.int64([index + 1]), builder.int64([1])])
  const none = node('zeros/Mul', 'Mul', [logits, builder.float32('0', 0)])
  const firstIndex = column('first_index', chosen, 0)
  const one = node('one/Expand', 'Expand', [builder.float32('1', 1), node('one/Shape', 'Shape', [firstIndex])])
  const marked = node('first/ScatterElements', 'ScatterElements', [none, firstIndex, one], { axis: { int: 1 } })
  const isFirst = node('first/Greater', 'Greater', [marked, builder.float32('0', 0)])
  const first = addShare(builder, node, { ...spec, name: 'first_share', best: column('first', values, 0), excluded: null })
  const second = addShare(builder, node, { ...spec, name: 'second_share', best: column('second', values, 1), excluded: isFirst })
  return { chosen, shares: node('shares/Concat', 'Concat', [first, second], { axis: { int: 1 } }) }
}

// Activations, elementwise on F32. Formulas of Transformers 5.18 activations.py.
import type { Activation } from '../../config/decoder-config'
import type { GraphBuilder } from '../builder'
import type { Graph } from '../parts'

interface ActivationSpec {
  readonly path: string
  readonly x: string
  /** Folder of the activation's own tensors, where it has any. */
  readonly module?: string
}

function gated(builder: GraphBuilder, { path, x }: ActivationSpec, inner: string): string {
  const sigmoid = builder.node({ path: `${path}/Sigmoid`, op: 'Sigmoid', inputs: [inner] })
  return builder.node({ path: `${path}/Mul`, op: 'Mul', inputs: [x, sigmoid] })
}

function single(builder: GraphBuilder, { path, x }: ActivationSpec, op: string): string {
  return builder.node({ path: `${path}/${op}`, op, inputs: [x] })
}

/**
 * Adds an activation.
 *
 *     silu:  x ─┬─ Sigmoid ─ Mul ── y        gelu, gelu_pytorch_tanh:  x ── Gelu(approximate) ── y        relu2:  x ── Relu ─ Mul(itself) ── y
 *               └─────────────┘
 */
export function addActivation(graph: Graph, spec: ActivationSpec & { readonly activation: Activation }): string {
  const { builder } = graph
  const { path, x, activation } = spec
  switch (activation) {
    case 'silu':
      return gated(builder, spec, x)
    case 'quick_gelu':
      return gated(builder, spec, builder.node({ path: `${path}/scale/Mul`, op: 'Mul', inputs: [x, builder.float32('1.702', 1.702)] }))
    case 'gelu':
      return builder.node({ path: `${path}/Gelu`, op: 'Gelu', inputs: [x], attributes: { approximate: { text: 'none' } } })
    case 'gelu_pytorch_tanh':
      return builder.node({ path: `${path}/Gelu`, op: 'Gelu', inputs: [x], attributes: { approximate: { text: 'tanh' } } })
    case 'relu':
      return single(builder, spec, 'Relu')
    case 'relu2': {
      const relu = single(builder, spec, 'Relu')
      return builder.node({ path: `${path}/Mul`, op: 'Mul', inputs: [relu, relu] })
    }
    case 'relu6':
      return builder.node({ path: `${path}/Clip`, op: 'Clip', inputs: [x, builder.float32('0', 0), builder.float32('6', 6)] })
    case 'leaky_relu':
      return builder.node({ path: `${path}/LeakyRelu`, op: 'LeakyRelu', inputs: [x], attributes: { alpha: { float: 0.01 } } })
    case 'tanh':
      return single(builder, spec, 'Tanh')
    case 'sigmoid':
      return single(builder, spec, 'Sigmoid')
    case 'mish':
      return single(builder, spec, 'Mish')
    case 'linear':
      return x
    case 'xielu':
      return addXielu(graph, spec)
  }
}

/**
 * Adds xIELU (arXiv 2411.13010), whose slopes are tensors of the checkpoint: above zero p * x^2 + beta * x, below n * (exp(min(x, eps)) - 1 - x) + beta * x, with
 * p = softplus(alpha_p) and n = beta + softplus(alpha_n).
 */
function addXielu({ builder, weights }: Graph, { path, x, module }: ActivationSpec): string {
  const node = (name: string, op: string, inputs: readonly string[]): string => builder.node({ path: `${path}/${name}`, op, inputs })
  const value = (name: string, shape: readonly number[]): string => weights.vector({ tensor: `${module}.${name}`, shape })
  const beta = value('beta', [])
  const rising = node('Softplus', 'Softplus', [value('alpha_p', [1])])
  const falling = node('falling/Add', 'Add', [beta, node('falling/Softplus', 'Softplus', [value('alpha_n', [1])])])
  const line = node('line/Mul', 'Mul', [beta, x])
  const square = node('above/Mul', 'Mul', [rising, node('square/Mul', 'Mul', [x, x])])
  const exponential = node('Exp', 'Exp', [node('Min', 'Min', [x, value('eps', [])])])
  const curve = node('curve/Sub', 'Sub', [node('minus_one/Sub', 'Sub', [exponential, builder.float32('1', 1)]), x])
  const below = node('below/Mul', 'Mul', [curve, falling])
  const positive = node('Greater', 'Greater', [x, builder.float32('0', 0)])
  return node('Add', 'Add', [node('Where', 'Where', [positive, square, below]), line])
}

// Activations, elementwise on F32. Formulas of Transformers 5.18 activations.py.
import type { Activation } from '../../config/decoder-config'
import type { GraphBuilder } from '../builder'

interface ActivationSpec {
  readonly path: string
  readonly x: string
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
export function addActivation(builder: GraphBuilder, spec: ActivationSpec & { readonly activation: Activation }): string {
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
  }
}

// Names of activations in config.json -> one name per formula. Follows Transformers 5.18 `ACT2FN` (activations.py).
import { optionalString, unsupportedSwitch, type ConfigFields } from './config-fields'
import type { Activation } from './decoder-config'
import type { FeedForwardConfig } from './decoder-config'
import type { FamilyRow } from './families/types'
import { firstPresent } from './row-rules'

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_pytorch_tanh: 'gelu_pytorch_tanh',
  gelu_python_tanh: 'gelu_pytorch_tanh',
  gelu_new: 'gelu_pytorch_tanh',
  gelu_fast: 'gelu_pytorch_tanh',
  quick_gelu: 'quick_gelu',
  relu: 'relu',
  relu2: 'relu2',
  relu6: 'relu6',
  leaky_relu: 'leaky_relu',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  mish: 'mish',
  linear: 'linear',
  xielu: 'xielu',
}

/** Reads the activation. Throws "config/unsupported-switch" for one that is not known. */
export function readActivation(config: ConfigFields, rule: FamilyRow['feedForward']['activation']): FeedForwardConfig['activation'] {
  const place = typeof rule === 'string' ? null : firstPresent(config, rule.field)
  const name = place === null ? null : optionalString(place.fields, place.name)
  const chosen = name ?? (typeof rule === 'string' ? rule : rule.default)
  const activation = Object.hasOwn(ACTIVATIONS, chosen) ? ACTIVATIONS[chosen] : undefined
  if (activation !== undefined) return activation
  throw unsupportedSwitch(place?.fields ?? config, place?.name ?? 'hidden_act', Object.keys(ACTIVATIONS).join(', '))
}

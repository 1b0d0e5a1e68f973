// The Mistral row: Llama's layout under another name. Source: Transformers 5.18 modeling_mistral.py.
import { llama } from './llama'
import type { ArchitectureRow } from './types'

/** Mistral 7B and its kin. */
export const mistral = {
  ...llama,
  family: 'Mistral',
  modelTypes: ['mistral'],
  architectures: ['MistralForCausalLM'],
} as const satisfies ArchitectureRow

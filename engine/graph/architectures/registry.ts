// The architecture table: which row runs a model, found by `model_type` or by `architectures` of config.json.
import { engineError } from '../../errors'
import { llama } from './llama'
import { mistral } from './mistral'
import type { ArchitectureRow } from './types'

const rows: readonly ArchitectureRow[] = [llama, mistral]

/** Every `model_type` that has a row, sorted. */
export const supportedModelTypes: readonly string[] = rows.flatMap((row) => row.modelTypes).toSorted()

/**
 * Finds the row of a model: by `model_type`, else by its `architectures`. Throws "graph/unknown-architecture", which names what is supported.
 */
export function findArchitecture(model: { readonly modelType: string; readonly architectures?: readonly string[] }): ArchitectureRow {
  const { modelType, architectures = [] } = model
  const row =
    rows.find((candidate) => candidate.modelTypes.includes(modelType)) ??
    rows.find((candidate) => architectures.some((name) => candidate.architectures.includes(name)))
  if (row === undefined) throw engineError('graph/unknown-architecture', { modelType, supported: supportedModelTypes })
  return row
}

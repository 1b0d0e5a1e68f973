// A model's size in a few words.
import type { ModelEntry } from '../../preload/contract'
import { formatBytes, formatParameters } from './format/quantity'

/** Parameters where known, and bytes on disk. */
export function describeModel(model: ModelEntry): string {
  const size = formatBytes(model.sizeBytes)
  return model.parameterCount === null ? size : `${formatParameters(model.parameterCount)} · ${size}`
}

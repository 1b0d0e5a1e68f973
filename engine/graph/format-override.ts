// Formats of single matrices: patterns over the names of tensors, the last one that fits decides.
import { engineError } from '../errors'
import type { WeightFormatName } from './weight-format'

/** What matrices whose names fit a pattern are computed with. `*` stands for any characters; a pattern begins at the start of a name or after a dot, and may leave out a last `.weight`. */
export interface FormatOverride {
  readonly pattern: string
  readonly format: WeightFormatName
}

/** Chooses formats by name, and knows which overrides were of use. */
export interface FormatChoice {
  /** The format of a matrix. */
  readonly of: (tensor: string) => WeightFormatName
  /** Throws "graph/format-override-unmatched" for a pattern that no matrix fitted. */
  readonly checkUsed: () => void
}

function expressionOf(pattern: string): RegExp {
  const body = pattern
    .split(/\*+/)
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^(?:.*\\.)?${body}(?:\\.weight)?$`)
}

/** The choice between a format and the overrides of it, in their order. */
export function chooseByName(format: WeightFormatName, overrides: readonly FormatOverride[]): FormatChoice {
  const rules = overrides.map((override) => ({ ...override, expression: expressionOf(override.pattern) }))
  const used = new Set<string>()
  return {
    of: (tensor) => {
      const fitting = rules.filter(({ expression }) => expression.test(tensor))
      for (const { pattern } of fitting) used.add(pattern)
      return fitting.at(-1)?.format ?? format
    },
    checkUsed: () => {
      const unused = overrides.find(({ pattern }) => !used.has(pattern))
      if (unused !== undefined) throw engineError('graph/format-override-unmatched', { pattern: unused.pattern })
    },
  }
}

// Error sentences of the graph area: code -> details -> one English sentence that says what was found and what is allowed.
const shape = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

export const graphErrors = {
  'graph/unknown-architecture': (d: { modelType: string; supported: readonly string[] }) =>
    `The model type ${d.modelType} is not supported; supported are ${d.supported.join(', ')}.`,
  'graph/weight-missing': (d: { tensor: string; family: string }) =>
    `The checkpoint has no tensor ${d.tensor}, which a ${d.family} decoder needs.`,
  'graph/weight-shape': (d: { tensor: string; found: readonly number[]; expected: readonly number[] }) =>
    `The tensor ${d.tensor} has the shape ${shape(d.found)}, but config.json asks for ${shape(d.expected)}.`,
  'graph/weight-dtype': (d: { tensor: string; found: string; allowed: readonly string[] }) =>
    `The tensor ${d.tensor} is stored as ${d.found}; a decoder takes ${d.allowed.join(', ')}.`,
  'graph/weight-computed': (d: { tensor: string; computation: string }) =>
    `The tensor ${d.tensor} does not lie in its file as it is used (${d.computation}), so it cannot be run in place; convert the model first.`,
  'graph/name-repeated': (d: { name: string }) => `The graph has two values or nodes named ${d.name}.`,
} satisfies Record<string, (details: never) => string>

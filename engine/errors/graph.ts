// Error sentences of the graph area: code -> details -> one English sentence that says what was found and what is allowed.
const shape = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

export const graphErrors = {
  'graph/unknown-architecture': (d: { modelType: string; supported: readonly string[] }) =>
    `The model type ${d.modelType} is not supported; supported are ${d.supported.join(', ')}.`,
  'graph/not-exportable': (d: { family: string; what: string }) =>
    `A ${d.family} decoder has ${d.what}, which an exported ONNX graph cannot express.`,
  'graph/format-override-unmatched': (d: { pattern: string }) =>
    `No matrix of the model is called ${d.pattern}, so that no format can be chosen for it.`,
  'graph/weight-missing': (d: { tensor: string; family: string }) =>
    `The checkpoint has no tensor ${d.tensor}, which a ${d.family} decoder needs.`,
  'graph/weight-shape': (d: { tensor: string; found: readonly number[]; expected: readonly number[] }) =>
    `The tensor ${d.tensor} has the shape ${shape(d.found)}, but config.json asks for ${shape(d.expected)}.`,
  'graph/weight-dtype': (d: { tensor: string; found: string; allowed: readonly string[] }) =>
    `The tensor ${d.tensor} is stored as ${d.found}; a decoder takes ${d.allowed.join(', ')}.`,
  'graph/export-missing-port': (d: { path: string; kind: 'input' | 'output'; name: string }) =>
    `${d.path} has no ${d.kind} ${d.name}, which a text decoder needs.`,
  'graph/export-unknown-input': (d: { path: string; inputs: readonly string[] }) =>
    `${d.path} needs inputs that a text decoder does not have: ${d.inputs.join(', ')}.`,
  'graph/export-port-shape': (d: { path: string; name: string; found: readonly (number | string)[] | null; expected: string }) =>
    `The value ${d.name} of ${d.path} has the shape ${d.found === null ? 'unknown' : `[${d.found.join(', ')}]`}; ${d.expected} is supported.`,
  'graph/export-port-dtype': (d: { path: string; name: string; found: string; allowed: readonly string[] }) =>
    `The value ${d.name} of ${d.path} is of type ${d.found}; ${d.allowed.join(', ')} can be exchanged with it.`,
  'graph/export-cache-gap': (d: { path: string; name: string }) =>
    `${d.path} takes a part of the key-value cache but does not give it back: there is no ${d.name}.`,
  'graph/export-custom-operator': (d: { path: string; operators: readonly string[] }) =>
    `${d.path} uses operators that ONNX Runtime does not bring along (${d.operators.join(', ')}); libraries of custom operators are never loaded.`,
  'graph/name-repeated': (d: { name: string }) => `The graph has two values or nodes named ${d.name}.`,
} satisfies Record<string, (details: never) => string>

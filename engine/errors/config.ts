// Error sentences of the config area: code -> details -> one English sentence that says what was found and what is allowed.

/** A value of a file as a sentence shows it. */
function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}

export const configErrors = {
  'config/missing': (d: { directory: string }) => `There is no config.json in ${d.directory}.`,
  'config/not-an-object': (d: { path: string }) => `${d.path} is not a JSON object.`,
  'config/missing-field': (d: { path: string; field: string }) => `${d.path} has no ${d.field}, which a decoder needs.`,
  'config/wrong-type': (d: { path: string; field: string; found: unknown; expected: string }) =>
    `${d.path}: ${d.field} is ${shown(d.found)}, but must be ${d.expected}.`,
  'config/out-of-range': (d: { path: string; field: string; found: number; min: number; max: number; reason: string }) =>
    `${d.path}: ${d.field} is ${d.found}; ${d.min} to ${d.max} is allowed (${d.reason}).`,
  'config/inconsistent': (d: { path: string; fields: readonly string[]; reason: string }) =>
    `${d.path}: ${d.fields.join(' and ')} do not fit together: ${d.reason}.`,
  'config/missing-model-type': (d: { path: string; supported: readonly string[]; count: number }) =>
    `${d.path} does not say which family the model is (model_type). "weightroom families" lists those that are supported (${d.count}).`,
  'config/unknown-model-type': (d: { path: string; modelType: string; supported: readonly string[]; count: number }) =>
    `The model family "${d.modelType}" is not supported yet. "weightroom families" lists those that are (${d.count}).`,
  'config/gguf-architecture': (d: { path: string; architecture: string; supported: readonly string[] }) =>
    `${d.path} is of the architecture "${d.architecture}", which is not supported yet. Supported are ${d.supported.join(', ')}.`,
  'config/unsupported-switch': (d: { path: string; field: string; found: unknown; supported: string }) =>
    `${d.path}: ${d.field} is ${shown(d.found)}, which changes what the model computes and is not supported yet; supported is ${d.supported}.`,
  'config/bad-row': (d: { path: string; field: string; found: unknown; expected: string }) =>
    `${d.path}: ${d.field} is ${shown(d.found)}, but must be ${d.expected}.`,
} satisfies Record<string, (details: never) => string>

// Error sentences of the generate area: code -> details -> one English sentence that says what was found and what is allowed.
export const generateErrors = {
  'generate/empty-prompt': (_: { promptTokens: 0 }) => 'The prompt has no tokens.',
  'generate/bad-setting': (d: { setting: string; value: string; allowed: string }) =>
    `The setting ${d.setting} is ${d.value}; it must be ${d.allowed}.`,
  'generate/wrong-logits-length': (d: { found: number; vocabSize: number }) =>
    `The model returned ${d.found} scores for a vocabulary of ${d.vocabSize} tokens.`,
  'generate/logits-not-finite': (d: { id: number }) =>
    `The model's score for token ${d.id} is not a finite number: the weights are damaged or overflowed in this number format.`,
  'generate/no-token-left': (d: { vocabSize: number }) =>
    `The settings rule out every one of the ${d.vocabSize} tokens, so none can be picked.`,
  'generate/busy': (_: { what: string }) => `${_.what} is still running on this conversation; only one can run at a time.`,
  'generate/grammar-syntax': (d: { where: string; reason: string }) => `The grammar cannot be read (${d.where}): ${d.reason}.`,
  'generate/grammar-too-large': (d: { what: string; found: number; max: number }) =>
    `The grammar is too large: ${d.what} is ${d.found}, allowed is ${d.max}.`,
  'generate/grammar-left-recursion': (d: { rule: string }) =>
    `The rule ${d.rule} of the grammar begins with itself, so it could be entered without end. Write the repetition with * or +.`,
  'generate/grammar-too-complex': (d: { what: string; max: number }) =>
    `The grammar is too ambiguous to follow: more than ${d.max} ${d.what}.`,
  'generate/grammar-stuck': (d: { vocabSize: number }) =>
    `None of the ${d.vocabSize} tokens can continue what the grammar asks for at this point.`,
  'generate/pattern-unsupported': (d: { what: string }) => `The pattern uses ${d.what}, which cannot be followed token by token.`,
  'generate/schema-invalid': (d: { pointer: string; reason: string }) => `The JSON schema is not valid at ${d.pointer}: ${d.reason}.`,
  'generate/schema-unsupported': (d: { keyword: string; pointer: string }) =>
    `The JSON schema uses ${d.keyword} at ${d.pointer}, which the reply could not be held to.`,
  'generate/prefix-outside-grammar': (_: { where: string }) =>
    'The beginning of the reply is not what the grammar or schema of this chat allows.',
  'generate/no-vocabulary': (_: { what: string }) => `${_.what} needs the texts of the model's tokens, which are not known here.`,
} satisfies Record<string, (details: never) => string>

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
} satisfies Record<string, (details: never) => string>

// Error sentences of the tokenizer area: code -> details -> one English sentence that says what was found and what is allowed.
export const tokenizerErrors = {
  'tokenizer/missing': (d: { directory: string }) => `There is no tokenizer file in ${d.directory}: tokenizer.json or tokenizer.model is needed.`,
} satisfies Record<string, (details: never) => string>

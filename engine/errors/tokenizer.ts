// Error sentences of the tokenizer area: code -> details -> one English sentence that says what was found and what is allowed.
export const tokenizerErrors = {
} satisfies Record<string, (details: never) => string>

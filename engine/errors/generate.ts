// Error sentences of the generate area: code -> details -> one English sentence that says what was found and what is allowed.
export const generateErrors = {
  'generate/empty-prompt': (_: { promptTokens: 0 }) => 'The prompt has no tokens.',
} satisfies Record<string, (details: never) => string>

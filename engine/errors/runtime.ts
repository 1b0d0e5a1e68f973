// Error sentences of the runtime area: code -> details -> one English sentence that says what was found and what is allowed.
export const runtimeErrors = {
  'runtime/aborted': (_: { what: string }) => `${_.what} was cancelled.`,
  'runtime/context-overflow': (d: { neededTokens: number; contextLength: number }) =>
    `The conversation needs ${d.neededTokens} tokens, but the context window holds ${d.contextLength}.`,
} satisfies Record<string, (details: never) => string>

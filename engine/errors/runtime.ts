// Error sentences of the runtime area: code -> details -> one English sentence that says what was found and what is allowed.
export const runtimeErrors = {
} satisfies Record<string, (details: never) => string>

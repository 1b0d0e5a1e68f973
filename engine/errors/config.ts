// Error sentences of the config area: code -> details -> one English sentence that says what was found and what is allowed.
export const configErrors = {
} satisfies Record<string, (details: never) => string>

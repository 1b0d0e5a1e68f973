// Error sentences of the generate area: code -> details -> one English sentence that says what was found and what is allowed.
export const generateErrors = {
} satisfies Record<string, (details: never) => string>

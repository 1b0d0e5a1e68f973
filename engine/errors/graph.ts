// Error sentences of the graph area: code -> details -> one English sentence that says what was found and what is allowed.
export const graphErrors = {
} satisfies Record<string, (details: never) => string>

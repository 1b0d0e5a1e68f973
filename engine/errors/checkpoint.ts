// Error sentences of the checkpoint area: code -> details -> one English sentence that says what was found and what is allowed.
export const checkpointErrors = {
} satisfies Record<string, (details: never) => string>

// Error sentences of the config area: code -> details -> one English sentence that says what was found and what is allowed.
export const configErrors = {
  'config/missing': (d: { directory: string }) => `There is no config.json in ${d.directory}.`,
} satisfies Record<string, (details: never) => string>

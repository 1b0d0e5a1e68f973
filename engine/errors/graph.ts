// Error sentences of the graph area: code -> details -> one English sentence that says what was found and what is allowed.
export const graphErrors = {
  'graph/weight-missing': (d: { tensor: string; family: string }) =>
    `The checkpoint has no tensor ${d.tensor}, which a ${d.family} decoder needs.`,
} satisfies Record<string, (details: never) => string>

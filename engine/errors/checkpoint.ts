// Error sentences of the checkpoint area: code -> details -> one English sentence that says what was found and what is allowed.
export const checkpointErrors = {
  'checkpoint/missing-shard': (d: { shard: string; directory: string }) =>
    `The index names the shard ${d.shard}, which is not in ${d.directory}.`,
} satisfies Record<string, (details: never) => string>

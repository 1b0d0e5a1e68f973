// Error sentences of the tokenizer area: code -> details -> one English sentence that says what was found and what is allowed.
export const tokenizerErrors = {
  'tokenizer/missing': (d: { directory: string }) =>
    `There is no tokenizer file in ${d.directory}: tokenizer.json, tokenizer.model, a tiktoken file, vocab.json with merges.txt, vocab.txt or a GGUF file is needed.`,
  'tokenizer/corrupt-model': (d: { path: string; reason: string }) => `${d.path} is not a usable SentencePiece model: ${d.reason}.`,
  'tokenizer/corrupt-gguf': (d: { path: string; reason: string }) => `The vocabulary in ${d.path} is not usable: ${d.reason}.`,
  'tokenizer/corrupt-ranks': (d: { path: string; line: number; reason: string }) =>
    `Line ${d.line} of ${d.path} is not usable: ${d.reason}.`,
  'tokenizer/corrupt-json': (d: { path: string; reason: string }) => `${d.path} is not a usable tokenizer file: ${d.reason}.`,
  'tokenizer/corrupt-config': (d: { path: string; reason: string }) => `${d.path} is not a usable tokenizer configuration: ${d.reason}.`,
  'tokenizer/limit-exceeded': (d: { path: string; what: string; found: number; max: number }) =>
    `${d.path}: ${d.what} is ${d.found}; at most ${d.max} is allowed.`,
  'tokenizer/duplicate-id': (d: { path: string; id: number; first: string; second: string }) =>
    `${d.path} gives the id ${d.id} to two tokens, "${d.first}" and "${d.second}".`,
  'tokenizer/unsupported': (d: { path: string; what: string }) => `${d.path} needs ${d.what}, which is not supported.`,
  'tokenizer/bad-id': (d: { id: number }) => `${d.id} is not a token id: ids are whole numbers from 0 on.`,
  'tokenizer/text-too-long': (d: { characters: number; maxCharacters: number }) =>
    `The text is ${d.characters} characters long; at most ${d.maxCharacters} are tokenized at once.`,
  'tokenizer/too-slow': (d: { path: string; maxMs: number }) =>
    `Tokenizing with ${d.path} was stopped after ${d.maxMs} ms: one of its expressions does not come to an end on this text.`,
  'tokenizer/segmentation-failed': (d: { path: string; reason: string }) => `The text could not be tokenized with ${d.path}: ${d.reason}.`,
  'tokenizer/custom-code-missing': (d: { directory: string; file: string }) =>
    `The tokenizer of ${d.directory} is a Python file, ${d.file}, which is not there.`,
  'tokenizer/custom-code-needs-consent': (d: { directory: string; className: string; files: readonly string[]; hash: string }) =>
    `The model in ${d.directory} brings a tokenizer of its own, ${d.className} (${d.files.join(', ')}). Read that code; it is run in a sandbox once you agree to it, in the window or with --trust-tokenizer ${d.hash}.`,
  'tokenizer/custom-code-failed': (d: { path: string; problem: string }) => `The model's own tokenizer ${d.path} failed: ${d.problem}.`,
  'tokenizer/custom-code-stopped': (d: { path: string; end: string; reason: string }) =>
    `The model's own tokenizer ${d.path} was stopped (${d.end}${d.reason === '' ? '' : `: ${d.reason}`}): it went beyond the limits of its sandbox.`,
  'tokenizer/sandbox-unavailable': (d: { reason: string }) =>
    `The sandbox for a model's own tokenizer cannot be started safely on this machine (${d.reason}); nothing was run.`,
  'template/invalid': (d: { source: string; line: number; reason: string }) =>
    `The chat template in ${d.source} does not compile (line ${d.line}): ${d.reason}.`,
  'template/raised': (d: { source: string; message: string }) => `The model's chat template refuses this conversation: ${d.message}`,
  'template/failed': (d: { source: string; reason: string }) => `The chat template in ${d.source} failed: ${d.reason}.`,
  'template/limit-exceeded': (d: { source: string; what: string; max: number }) =>
    `The chat template in ${d.source} exceeds a limit: ${d.what} may be at most ${d.max}.`,
  'template/unknown-name': (d: { source: string; name: string; names: readonly string[] }) =>
    `${d.source} has no chat template named "${d.name}"; it has ${d.names.join(', ')}.`,
  'template/cannot-continue': (d: { source: string; reason: string }) => `The last message cannot be continued: ${d.reason} (${d.source}).`,
  'template/empty-conversation': (_: { source: string }) => 'The conversation has no message.',
  'template/no-default': (d: { source: string; names: readonly string[] }) =>
    `${d.source} names several chat templates (${d.names.join(', ')}) and none of them is "default".`,
} satisfies Record<string, (details: never) => string>

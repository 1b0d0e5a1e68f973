// Failures of the command line itself: code -> details -> one English sentence. Failures of the engine and the services keep their own codes.
import { ServiceError } from '../../service-error'

const catalogue = {
  'cli/model-not-found': (d: { model: string }) =>
    `There is no folder or file ${d.model}, and no model of that name. "guide" is the built-in model.`,
  'cli/ambiguous-model': (d: { model: string; paths: readonly string[] }) =>
    `Several models are named ${d.model}; give the folder: ${d.paths.join(', ')}.`,
  'cli/not-readable': (d: { path: string; reason: string }) => `${d.path} cannot be read (${d.reason}).`,
  'cli/not-writable': (d: { path: string; reason: string }) => `${d.path} cannot be written (${d.reason}).`,
  'cli/file-too-large': (d: { path: string; sizeBytes: number; limitBytes: number }) =>
    `${d.path} has ${d.sizeBytes} bytes; at most ${d.limitBytes} are read here.`,
  'cli/not-json': (d: { path: string; reason: string }) => `${d.path} is not JSON: ${d.reason}.`,
  'cli/wrong-shape': (d: { path: string; expected: string }) => `${d.path} does not hold ${d.expected}.`,
  'cli/no-prompt': (_: Readonly<Record<string, unknown>>) => 'There is no prompt: give one after the model, or on standard input.',
  'cli/several-constraints': (_: Readonly<Record<string, unknown>>) => 'Only one of --json-schema, --grammar and --regex can hold a reply.',
  'cli/cancelled': (_: Readonly<Record<string, unknown>>) => 'It was cancelled.',
} satisfies Record<string, (details: never) => string>

type Catalogue = typeof catalogue

/** Makes the error for a code; the sentence comes from the catalogue. */
export function cliError<C extends keyof Catalogue>(
  code: C,
  details: Parameters<Catalogue[C]>[0] & Readonly<Record<string, unknown>>,
  cause?: unknown,
): ServiceError {
  // The catalogue entry of C takes exactly these details; TypeScript cannot correlate the two through the union.
  const sentence = catalogue[code] as (details: Readonly<Record<string, unknown>>) => string
  return new ServiceError({ code, message: sentence(details), details }, cause)
}

// ServiceError and the catalogue of service codes: failures of the app's own services, beside the engine's EngineError.
import type { ContractError } from '../preload/contract'

type NoDetails = Readonly<Record<string, never>>

const megabytes = (sizeBytes: number): string => `${(sizeBytes / 1e6).toFixed(1)} MB`

/** Code -> details -> one English sentence that says what was found and what is allowed. */
const catalogue = {
  'app/bad-input': (d: { name: string; problem: string }) => `The request ${d.name} was refused: ${d.problem}.`,
  'app/unknown-call': (d: { name: string }) => `There is no request named ${d.name}.`,
  'app/internal': (d: { name: string }) => `Something went wrong inside Weightroom while it handled ${d.name}. The details are in its log.`,
  'app/link-refused': (d: { url: string }) => `Only http, https and mailto links are opened outside the app; ${d.url} is not one.`,
  'app/unsupported': (d: { what: string; host: string }) => `The ${d.host} host cannot do this: ${d.what}.`,
  'app/resources-missing': (d: { codeFolder: string }) =>
    `The built-in model was not found in any resources folder above ${d.codeFolder}: the installation is incomplete.`,
  'app/closing': (_: NoDetails) => 'Weightroom is closing.',
  'app/too-many-requests': (d: { limit: number }) => `More than ${d.limit} requests are running at once.`,
  'chats/not-found': (d: { chatId: string }) => `There is no chat ${d.chatId}.`,
  'chats/message-not-found': (d: { messageId: string }) => `There is no message ${d.messageId} in this chat.`,
  'chats/wrong-role': (d: { messageId: string; role: string; needed: string }) =>
    `Message ${d.messageId} was written by the ${d.role}; this needs one of the ${d.needed}.`,
  'chats/no-such-token': (d: { messageId: string; token: number }) =>
    `Reply ${d.messageId} has no other choice at token ${d.token} that it could go on from.`,
  'chats/busy': (d: { chatId: string }) => `Chat ${d.chatId} is still answering; stop that reply first.`,
  'chats/disk-full': (d: { path: string }) =>
    `The disk is full: the chat could not be saved to ${d.path}. It stays in the window until there is room.`,
  'chats/not-writable': (d: { path: string; reason: string }) => `${d.path} cannot be written (${d.reason}), so nothing is saved there.`,
  'chats/locked': (d: { path: string }) => `Another program is using ${d.path}; the chat could not be saved yet.`,
  'chats/newer-database': (d: { path: string; foundVersion: number; knownVersion: number }) =>
    `${d.path} was written by a newer Weightroom (version ${d.foundVersion}, this one knows ${d.knownVersion}). It was left untouched.`,
  'chats/broken-database': (d: { path: string; reason: string }) => `${d.path} cannot be read as a chat database: ${d.reason}.`,
  'engine/crashed': (d: { reason: string; signal: string | null; exitCode: number | null }) => crashSentence(d),
  'engine/not-loaded': (_: NoDetails) => 'No model is loaded.',
  'engine/busy': (d: { waiting: number }) => `${d.waiting} replies are already waiting for the model.`,
  'engine/cancelled': (_: NoDetails) => 'It was cancelled.',
  'engine/did-not-start': (d: { reason: string }) => `The engine process could not be started: ${d.reason}.`,
  'library/not-found': (d: { modelId: string }) => `There is no model ${d.modelId} in the library.`,
  'library/folder-of-models': (d: { path: string; count: number }) =>
    `${d.path} is not a model itself; it holds ${d.count} model directories and can be added to the library.`,
  'library/no-folder': (d: { path: string; reason: string }) => `${d.path} is no folder that can be read (${d.reason}).`,
  'library/no-model': (d: { path: string }) =>
    `${d.path} is not a model directory, and no folder directly inside it is one: a config.json is needed.`,
  'library/not-a-directory': (d: { path: string }) => `${d.path} is a file; a model is opened by its directory, the one with config.json.`,
  'library/incomplete': (d: { path: string; missing: readonly string[] }) =>
    `The model in ${d.path} is incomplete: ${d.missing.join(', ')} is missing.`,
  'library/too-many-folders': (d: { limit: number }) => `The library holds ${d.limit} folders at most.`,
  'places/not-absolute': (d: { path: string }) => `${d.path} is not a complete path; it must begin at the root of a disk, or with ~/.`,
  'places/unreadable': (d: { path: string; reason: string }) => `${d.path} cannot be read (${d.reason}).`,
  'uploads/bad-name': (d: { name: string; reason: string }) => `A file named "${d.name}" is not taken: ${d.reason}.`,
  'uploads/too-large': (d: { sizeBytes: number; limitBytes: number }) =>
    `These files have ${megabytes(d.sizeBytes)} together; at most ${megabytes(d.limitBytes)} are taken at once.`,
  'uploads/too-many': (d: { limit: number }) => `At most ${d.limit} uploads can be open at once; close one first.`,
  'uploads/disk-full': (d: { path: string; neededBytes: number; freeBytes: number }) =>
    `The disk of ${d.path} has ${megabytes(d.freeBytes)} free; ${megabytes(d.neededBytes)} are needed to take these files.`,
  'uploads/not-found': (d: { uploadId: string }) => `There is no upload ${d.uploadId}.`,
  'uploads/out-of-order': (d: { name: string; expectedBytes: number; offsetBytes: number }) =>
    `The bytes of ${d.name} must come in order: the next one is ${d.expectedBytes}, not ${d.offsetBytes}.`,
  'uploads/too-long': (d: { name: string; sizeBytes: number }) => `${d.name} was announced with ${d.sizeBytes} bytes, but more were sent.`,
  'uploads/incomplete': (d: { name: string; receivedBytes: number; sizeBytes: number }) =>
    `Of ${d.name} only ${d.receivedBytes} of ${d.sizeBytes} bytes have arrived.`,
  'uploads/write-failed': (d: { path: string; reason: string }) => `${d.path} cannot be written (${d.reason}).`,
  'uploads/in-use': (d: { path: string }) => `A conversion still needs ${d.path}.`,
  'conversions/not-found': (d: { jobId: string }) => `There is no conversion ${d.jobId}.`,
  'conversions/still-running': (d: { jobId: string }) => `Conversion ${d.jobId} is still running or waiting; cancel it first.`,
  'conversions/not-ended': (d: { jobId: string }) => `Conversion ${d.jobId} has not failed or been stopped, so it cannot be started again.`,
  'conversions/not-done': (d: { jobId: string }) => `Conversion ${d.jobId} has no result that could be shown.`,
  'conversions/too-many': (d: { limit: number }) => `The list holds ${d.limit} conversions at most; clear those that have ended.`,
  'conversions/same-place': (d: { path: string }) => `Another conversion of the list is going to write to ${d.path}.`,
  'settings/not-saved': (d: { path: string; reason: string }) => `The settings could not be saved to ${d.path} (${d.reason}).`,
  'web/not-loopback': (d: { host: string }) =>
    `The browser host listens on this machine only (127.0.0.1, ::1 or localhost), not on ${d.host}.`,
  'web/no-port': (d: { reason: string }) => `No port could be opened on this machine: ${d.reason}.`,
} satisfies Record<string, (details: never) => string>

type Catalogue = typeof catalogue

/** Stable code of a service failure, `area/what-happened`. */
export type ServiceErrorCode = keyof Catalogue

/** The data that belongs to a code. */
export type ServiceErrorDetails<C extends ServiceErrorCode> = Parameters<Catalogue[C]>[0] & Readonly<Record<string, unknown>>

/** A failure with a stable code and data that may be shown in a window; `code` may also be one of the engine's, when the engine process reported it. */
export class ServiceError extends Error {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(error: ContractError, cause?: unknown) {
    super(error.message, cause === undefined ? undefined : { cause })
    this.name = 'ServiceError'
    this.code = error.code
    this.details = error.details
  }
}

/** Makes the error for a code; the sentence comes from the catalogue. */
export function serviceError<C extends ServiceErrorCode>(code: C, details: ServiceErrorDetails<C>, cause?: unknown): ServiceError {
  // The catalogue entry of C takes exactly ServiceErrorDetails<C>; TypeScript cannot correlate the two through the union.
  const sentence = catalogue[code] as (details: ServiceErrorDetails<C>) => string
  return new ServiceError({ code, message: sentence(details), details }, cause)
}

/** The failure as it crosses the border, or null when it is not one of ours and nothing of it may be shown. */
export function contractErrorOf(failure: unknown): ContractError | null {
  if (failure instanceof ServiceError) return { code: failure.code, message: failure.message, details: failure.details }
  return null
}

/** One short text for a reason field: the system's code when there is one, otherwise the message. */
export function reasonOf(failure: unknown): string {
  if (failure instanceof Error) return 'code' in failure && typeof failure.code === 'string' ? failure.code : failure.message
  return String(failure)
}

function crashSentence(d: { reason: string; signal: string | null; exitCode: number | null }): string {
  const how = d.signal === null ? `exit code ${d.exitCode ?? 'unknown'}` : `signal ${d.signal}`
  if (d.reason === 'out-of-memory')
    return `The engine process ran out of memory and was ended by the system (${how}). Try a smaller context window or model.`
  if (d.reason === 'killed') return `The engine process was killed from outside (${how}).`
  if (d.reason === 'native-crash') return `The engine process crashed in native code (${how}).`
  if (d.reason === 'unresponsive') return `The engine process no longer answered and was ended (${how}).`
  return `The engine process ended unexpectedly (${how}).`
}

// Messages that the host could not save yet: it keeps them and tries again by itself.
import type { ContractError, Message } from '../../../preload/contract'

const NOT_SAVED_YET: ReadonlySet<string> = new Set(['chats/disk-full', 'chats/not-writable', 'chats/locked'])

/** True for failures of saving, which say nothing against the message itself. */
export function isSavingError(error: ContractError): boolean {
  return NOT_SAVED_YET.has(error.code)
}

/** True while at least one of the messages waits to be saved. */
export function waitsToBeSaved(messages: readonly Message[]): boolean {
  return messages.some(({ error }) => error !== null && isSavingError(error))
}

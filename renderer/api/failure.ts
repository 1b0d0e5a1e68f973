// Failures as the renderer sees them: the contract's error thrown as an exception, and anything thrown turned back into the contract's error.
import type { ContractError, Result } from '../../preload/contract'

/** Code of a call or stream that ended because the host cannot be reached. */
const CONNECTION_LOST = 'app/connection-lost'

/** A failed call or stream. Match on `code`, never on the message. */
export class ContractFailure extends Error implements ContractError {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(error: ContractError) {
    super(error.message)
    this.name = 'ContractFailure'
    this.code = error.code
    this.details = error.details
  }
}

/** Makes the failure for a lost connection. */
export function connectionLost(): ContractFailure {
  return new ContractFailure({ code: CONNECTION_LOST, message: 'The connection to Weightroom was lost.', details: {} })
}

/** Takes the value out of a result. Throws ContractFailure where it is an error. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value
  throw new ContractFailure(result.error)
}

/** The contract's error of anything thrown; what is no ContractFailure is a fault of the app itself and gets "app/internal". */
export function toContractError(thrown: unknown): ContractError {
  if (thrown instanceof ContractFailure) return { code: thrown.code, message: thrown.message, details: thrown.details }
  return { code: 'app/internal', message: thrown instanceof Error ? thrown.message : String(thrown), details: {} }
}

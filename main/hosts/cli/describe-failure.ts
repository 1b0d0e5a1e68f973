// One line for any failure.
import { printable } from '../printable'

/** `error[code]: sentence`; a failure without a code of ours is a defect, and says so. */
export function describeFailure(failure: unknown): string {
  if (failure instanceof Error && 'code' in failure && typeof failure.code === 'string' && failure.code.includes('/')) {
    return `error[${failure.code}]: ${printable(failure.message)}`
  }
  return `error[cli/internal]: ${printable(failure instanceof Error ? failure.message : String(failure))}`
}

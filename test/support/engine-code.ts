// The stable code of a failure, for assertions.
import { EngineError } from '../../engine/errors'

function codeOf(error: unknown): string {
  if (error instanceof EngineError) return error.code
  throw error
}

/** The code that a call throws or rejects with, or 'no error'. Other exceptions pass through. */
export async function engineCode(call: () => unknown): Promise<string> {
  try {
    await call()
  } catch (error) {
    return codeOf(error)
  }
  return 'no error'
}

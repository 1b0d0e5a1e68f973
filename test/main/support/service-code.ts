// The stable code of a service failure, for assertions.
import { ServiceError } from '../../../main/service-error'

/** The code that a call throws or rejects with, or 'no error'. Other exceptions pass through. */
export async function serviceCode(call: () => unknown): Promise<string> {
  try {
    await call()
  } catch (error) {
    if (error instanceof ServiceError) return error.code
    throw error
  }
  return 'no error'
}

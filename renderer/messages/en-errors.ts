// Error sentences by code, en.
import type { ErrorCatalogue } from '../lib/i18n/catalogue'

export const enErrors: ErrorCatalogue = {
}

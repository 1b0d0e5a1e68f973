// Error sentences by code, zh-tw.
import type { ErrorCatalogue } from '../lib/i18n/catalogue'

export const zhTwErrors: ErrorCatalogue = {
}

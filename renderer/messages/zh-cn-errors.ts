// Error sentences by code, zh-cn.
import type { ErrorCatalogue } from '../lib/i18n/catalogue'

export const zhCnErrors: ErrorCatalogue = {
}

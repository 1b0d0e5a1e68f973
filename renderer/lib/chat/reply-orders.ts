// What can be asked of a reply beyond another version of it.
import type { ReplyToken } from '../../../preload/contract'

/** Orders by message id. */
export interface ReplyOrders {
  readonly goOn: (messageId: string) => void
  readonly branch: (messageId: string, place: { readonly token: number; readonly alternative: number }) => void
  /** null where no tokens were kept; rejects where they cannot be read. */
  readonly tokens: (messageId: string) => Promise<readonly ReplyToken[] | null>
  readonly showPrompt: (messageId: string) => void
}

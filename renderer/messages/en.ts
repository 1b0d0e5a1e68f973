// English texts of the app. This catalogue is the type of all the others: same keys, same placeholders.
// A text with `count` in it is a set of plural forms (Intl.PluralRules categories); numbers are written by Intl.
import { appTexts } from './en/app'
import { chatTexts } from './en/chat'
import { convertTexts } from './en/convert'
import { inspectTexts } from './en/inspect'
import { loadingTexts } from './en/loading'
import { modelsTexts } from './en/models'
import { samplingTexts } from './en/sampling'

export const en = {
  ...appTexts,
  ...chatTexts,
  ...samplingTexts,
  ...loadingTexts,
  ...modelsTexts,
  ...convertTexts,
  ...inspectTexts,
} as const

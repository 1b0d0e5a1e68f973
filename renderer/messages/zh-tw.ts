// 介面文字：繁體中文（台灣用語）。鍵與佔位符以英文目錄為準。
import type { Catalogue } from '../lib/i18n/catalogue'
import { appTexts } from './zh-tw/app'
import { chatTexts } from './zh-tw/chat'
import { convertTexts } from './zh-tw/convert'
import { inspectTexts } from './zh-tw/inspect'
import { loadingTexts } from './zh-tw/loading'
import { modelsTexts } from './zh-tw/models'
import { samplingTexts } from './zh-tw/sampling'

export const zhTw: Catalogue = {
  ...appTexts,
  ...chatTexts,
  ...samplingTexts,
  ...loadingTexts,
  ...modelsTexts,
  ...convertTexts,
  ...inspectTexts,
}

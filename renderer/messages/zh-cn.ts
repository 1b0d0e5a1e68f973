// 界面文字：简体中文（大陆用语）。键与占位符以英文目录为准。
import type { Catalogue } from '../lib/i18n/catalogue'
import { appTexts } from './zh-cn/app'
import { chatTexts } from './zh-cn/chat'
import { convertTexts } from './zh-cn/convert'
import { inspectTexts } from './zh-cn/inspect'
import { loadingTexts } from './zh-cn/loading'
import { modelsTexts } from './zh-cn/models'
import { samplingTexts } from './zh-cn/sampling'

export const zhCn: Catalogue = {
  ...appTexts,
  ...chatTexts,
  ...samplingTexts,
  ...loadingTexts,
  ...modelsTexts,
  ...convertTexts,
  ...inspectTexts,
}

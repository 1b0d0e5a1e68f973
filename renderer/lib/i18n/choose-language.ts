// Which catalogue fits the languages that the system prefers.
import type { Language } from './catalogue'

/** The best catalogue for BCP 47 tags in order of preference: Traditional script or Taiwan, Hong Kong, Macau give zh-TW; other Chinese gives zh-CN. */
export function chooseLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const lower = tag.toLowerCase()
    if (lower === 'en' || lower.startsWith('en-')) return 'en'
    if (lower !== 'zh' && !lower.startsWith('zh-')) continue
    if (lower.includes('hans')) return 'zh-CN'
    return /hant|-tw|-hk|-mo/.test(lower) ? 'zh-TW' : 'zh-CN'
  }
  return 'en'
}

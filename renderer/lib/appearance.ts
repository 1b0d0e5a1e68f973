// Theme and language as they are written on the page, kept for the first frame of the next start.
import type { Settings } from '../../preload/contract'
import { spoken } from './i18n/spoken.svelte'
import { recall, remember } from './remembered'

/** Applies theme and language, and keeps them. */
export function applyAppearance(settings: Pick<Settings, 'theme' | 'language'>): void {
  const { theme, language } = settings
  spoken.choose(language)
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  remember('lasting', 'theme', theme)
  remember('lasting', 'language', language)
}

/** Applies what was kept, before the settings were read. */
export function applyRemembered(): void {
  const theme = (['light', 'dark'] as const).find((each) => each === recall('lasting', 'theme'))
  const language = (['en', 'zh-TW', 'zh-CN'] as const).find((each) => each === recall('lasting', 'language'))
  applyAppearance({ theme: theme ?? 'system', language: language ?? 'system' })
}

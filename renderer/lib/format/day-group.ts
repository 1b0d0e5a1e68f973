// Groups conversations by the day of their last change, in local time.
import { t } from '../i18n/texts'
import { spoken } from '../i18n/spoken.svelte'

/** Consecutive items under one heading. */
export interface DayGroup<T> {
  readonly heading: string
  readonly items: readonly T[]
}

/** Splits items, newest first, into today, yesterday, the previous seven days, and months. */
export function groupByDay<T extends { readonly updatedAtMs: number }>(items: readonly T[], nowMs: number): readonly DayGroup<T>[] {
  const groups: { heading: string; items: T[] }[] = []
  for (const item of items) {
    const heading = headingOf(item.updatedAtMs, nowMs)
    const last = groups.at(-1)
    if (last?.heading === heading) last.items.push(item)
    else groups.push({ heading, items: [item] })
  }
  return groups
}

function headingOf(updatedAtMs: number, nowMs: number): string {
  const now = new Date(nowMs)
  const dayStart = (back: number): number => new Date(now.getFullYear(), now.getMonth(), now.getDate() - back).getTime()
  if (updatedAtMs >= dayStart(0)) return t('chats.today')
  if (updatedAtMs >= dayStart(1)) return t('chats.yesterday')
  if (updatedAtMs >= dayStart(7)) return t('chats.thisWeek')
  return new Intl.DateTimeFormat(spoken.language, { month: 'long', year: 'numeric' }).format(new Date(updatedAtMs))
}

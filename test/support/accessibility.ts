// What axe finds wrong with a page, in light and in dark: one page is looked at in both, as a change of the system's scheme would show it.
import AxeBuilder from '@axe-core/playwright'
import type { Page } from 'playwright-core'

const SCHEMES = ['light', 'dark'] as const
/** What axe decides by colours. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

/** Violations of a page that stands still, each with its scheme, rule and elements; `look` sees the page in each scheme. */
export async function findViolations(
  page: Page,
  look: (scheme: (typeof SCHEMES)[number]) => Promise<unknown> = () => Promise.resolve(),
): Promise<readonly string[]> {
  const found: string[] = []
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await standStill(page)
    await look(colorScheme)
    // In one document: the default opens a page of its own for every report, and no frame of the app comes from elsewhere.
    const axe = new AxeBuilder({ page }).setLegacyMode(true)
    // The schemes differ in colours alone; names, roles and structure were looked at in the first.
    if (colorScheme !== SCHEMES[0]) axe.withRules(COLOUR_RULES)
    const { violations } = await axe.analyze()
    for (const { id, nodes } of violations)
      found.push(`${colorScheme} ${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary ?? ''}`).join('\n')}`)
  }
  return found
}

/** Colours are read when nothing fades or moves any more, and fonts and late parts of the page are there. */
async function standStill(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready
    const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()))
    let quiet = 0
    let changes = 0
    const observer = new MutationObserver((records) => (changes += records.length))
    observer.observe(document.body, { subtree: true, childList: true, attributes: true })
    // A page that never rests, such as one with a clock, is looked at after a second all the same.
    for (let frames = 0; quiet < 6 && frames < 60; frames += 1) {
      changes = 0
      await frame()
      const moves = document.getAnimations().some(({ playState }) => playState === 'running')
      quiet = changes === 0 && !moves ? quiet + 1 : 0
    }
    observer.disconnect()
  })
}

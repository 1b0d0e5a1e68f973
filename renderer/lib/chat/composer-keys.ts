// What a key press in a message field means. Pure, so that it can be tested without a browser.

/** The parts of a KeyboardEvent that decide. */
export interface KeyPress {
  readonly key: string
  readonly shiftKey: boolean
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly isComposing: boolean
  readonly keyCode: number
}

/** Code that browsers give a key which an input method consumed; Safari ends the composition before it reports that key. */
const CONSUMED_BY_INPUT_METHOD = 229

/** Enter sends and Escape leaves, never while an input method composes (Enter then picks a candidate); everything else is typing. */
export function composerAction(press: KeyPress): 'send' | 'leave' | null {
  if (press.isComposing || press.keyCode === CONSUMED_BY_INPUT_METHOD) return null
  if (press.key === 'Escape') return 'leave'
  if (press.key !== 'Enter' || press.shiftKey || press.altKey || press.ctrlKey || press.metaKey) return null
  return 'send'
}

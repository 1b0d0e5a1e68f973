// Keys as they are written on this machine.

/** True on Apple systems, whose shortcuts use Command. */
export const isApple = /mac|iphone|ipad/i.test(navigator.platform)

/** A shortcut with the platform's main modifier, as people write it: ⌘K or Ctrl+K. */
export function shortcut(key: string): string {
  return isApple ? `⌘${key}` : `Ctrl+${key}`
}

// The clipboard, which a host or a browser may refuse.

/** Copies a text. Returns false where it was refused. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

// The first sentences of a model card (README.md beside the weights), for a list of models. Cards are Markdown with YAML before it, as the Hugging Face hub has them.
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The beginning of a card; what a model is for stands at the top. */
const MAX_CARD_BYTES = 32 * 1024
const MAX_SUMMARY_CHARS = 240

/** The card's first paragraph as plain text, or null without a card or without a paragraph. */
export async function readModelCardSummary(directory: string): Promise<string | null> {
  let text: string
  try {
    const file = await open(join(/\.(gguf|onnx)$/i.test(directory) ? dirname(directory) : directory, 'README.md'))
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_CARD_BYTES), 0, MAX_CARD_BYTES, 0)
      text = buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch {
    // A model without a readable card is a model all the same.
    return null
  }
  return summarizeCard(text)
}

/** The first paragraph that is prose: no heading, table, list, image, badge or markup. */
export function summarizeCard(card: string): string | null {
  const body = card.replace(/^---\r?\n[\s\S]*?\r?\n---\r?\n/, '')
  for (const paragraph of body.split(/\r?\n\s*\r?\n/)) {
    const prose = paragraph
      .trim()
      .replace(/^#[^\n]*\n/, '')
      .trim()
    if (prose === '' || /^[#|<![\]>`*\-+=]|^\d+\./.test(prose.replace(/^\*\*/, ''))) continue
    const plain = prose
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[*_`]{1,3}(\S[^*_`]*?)[*_`]{1,3}/g, '$1')
      .replace(/\s+/g, ' ')
      .trim()
    const chars = Array.from(plain)
    return chars.length <= MAX_SUMMARY_CHARS ? plain : `${chars.slice(0, MAX_SUMMARY_CHARS).join('').trimEnd()}…`
  }
  return null
}

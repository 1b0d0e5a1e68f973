// Where the body of a decoder lies in a checkpoint: the family's folders are tried in order.
import type { DecoderConfig } from '../config/decoder-config'

/**
 * The prefix of the body's tensors. A tensor that every layer has decides, since embeddings may be tied and left out.
 */
export function bodyPrefix(config: Pick<DecoderConfig, 'names' | 'prefixes'>, has: (tensor: string) => boolean): string {
  const { names, prefixes } = config
  const marker = `${names.layer.replace('{i}', '0')}.${names.attentionOutput}.weight`
  const embedding = `${names.embedding}.weight`
  const present = prefixes.find((prefix) => has(prefix + marker)) ?? prefixes.find((prefix) => has(prefix + embedding))
  return present ?? prefixes[0] ?? ''
}

// Where the body of a decoder lies in a checkpoint: the family's folders are tried in order.
import type { DecoderConfig } from '../config/decoder-config'

/** What the names of the first layer's tensors begin with. */
export function firstLayerFolder({ names }: Pick<DecoderConfig, 'names'>, prefix: string): string {
  return `${prefix}${names.layer.replace('{i}', '0')}.`
}

/**
 * The prefix of the body's tensors. A tensor that every layer has decides, since embeddings may be tied and left out.
 */
export function bodyPrefix(config: Pick<DecoderConfig, 'names' | 'prefixes'>, has: (tensor: string) => boolean): string {
  const { names, prefixes } = config
  const layer = names.layer.replace('{i}', '0')
  const mixers = [names.attentionOutput, names.convolution?.output].map((name) => `${layer}.${name}.weight`)
  const holds = (prefix: string): boolean => mixers.some((marker) => has(prefix + marker))
  return prefixes.find(holds) ?? prefixes.find((prefix) => has(`${prefix}${names.embedding}.weight`)) ?? prefixes[0] ?? ''
}

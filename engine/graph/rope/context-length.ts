// How many tokens a decoder's positions reach, with what its rotary scaling adds.
import type { DecoderConfig } from '../../config/decoder-config'

/**
 * Tokens that a model is meant to see at once. `max_position_embeddings` is the trained length for `linear` and `dynamic` scaling, which stretch it by
 * their factor, and often for `yarn`; `llama3` configs already give the stretched length. Passes beyond it are computed all the same, as in Transformers.
 */
export function contextLengthTokens(config: Pick<DecoderConfig, 'maxPositionEmbeddings' | 'ropes'>): number {
  const { maxPositionEmbeddings, ropes } = config
  const scaling = ropes[0]?.scaling ?? { kind: 'default' }
  switch (scaling.kind) {
    case 'default':
    case 'llama3':
    case 'longrope':
      return maxPositionEmbeddings
    case 'linear':
    case 'dynamic':
      return Math.max(maxPositionEmbeddings, Math.floor(maxPositionEmbeddings * scaling.factor))
    case 'yarn':
      return Math.max(maxPositionEmbeddings, Math.floor(scaling.originalMaxPositionEmbeddings * scaling.factor))
  }
}

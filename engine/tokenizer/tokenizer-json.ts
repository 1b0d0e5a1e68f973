// (placeholder while the reader is written)
import { engineError } from '../errors'
import type { TokenizerConfig } from './tokenizer-config'
import type { Tokenizer } from './types'
export function loadTokenizerJson(path: string, _config: TokenizerConfig | null): Promise<Tokenizer> {
  return Promise.reject(engineError('tokenizer/unsupported', { path, what: 'tokenizer.json' }))
}

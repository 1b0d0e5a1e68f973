// Measures one weight format on the built-in text, as the load dialog asks for it.
import { measureFormat } from '../../../engine/generate/measure-format'
import { SAMPLE_TEXT, SAMPLE_TEXT_VERSION } from '../../../engine/generate/sample-text'
import type { EngineMethods, MeasuredFormat } from '../protocol'

/** Long enough that most tokens are predicted from a paragraph, short enough that keys and values take little. */
const WINDOW_TOKENS = 512

/** Loads the model in its format, measures and leaves it. Throws what measureFormat throws. */
export async function measureOne(
  params: EngineMethods['measureFormat']['params'],
  options: { readonly emit: (event: EngineMethods['measureFormat']['event']) => void; readonly signal: AbortSignal },
): Promise<MeasuredFormat> {
  const { path, threads, weightFormat, formatOverrides, preparedFolder, preparedMaxBytes, trustedCode } = params
  const { emit, signal } = options
  const measured = await measureFormat(path, {
    text: SAMPLE_TEXT,
    windowTokens: WINDOW_TOKENS,
    format: weightFormat,
    formatOverrides,
    prepared: { folder: preparedFolder, ...(preparedMaxBytes !== null && { maxBytes: preparedMaxBytes }) },
    onStage: emit,
    signal,
    ...(trustedCode && { trustedCode }),
    ...(threads !== null && { threads }),
  })
  const { perplexity, scoredTokens: tokens, decodeTokensPerSecond: tokensPerSecond, residentBytes } = measured
  return { perplexity, tokens, tokensPerSecond, residentBytes, textVersion: SAMPLE_TEXT_VERSION }
}

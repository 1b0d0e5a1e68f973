// The tokenizer of a checkpoint as the window shows it.
import { resolve } from 'node:path'
import { describeTokenizer } from '../../../../engine/inspect/describe-tokenizer'
import type { TokenizerSummary } from '../../../../preload/contract'
import { plainDetails } from '../plain-details'

/** Reads tokenizer and chat template. Throws what describeTokenizer throws. */
export async function summarizeTokenizer(path: string): Promise<TokenizerSummary> {
  const { tokenizer, template, problem } = await describeTokenizer(resolve(path))
  return {
    tokenizer,
    template,
    problem: problem && { code: problem.code, message: problem.message, details: plainDetails(problem.details) },
  }
}

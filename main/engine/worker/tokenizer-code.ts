// The Python files of a model's own tokenizer, for the dialog that asks whether they may run.
import { findCustomCode } from '../../../engine/tokenizer/load'
import type { TokenizerCode } from '../../../preload/contract'

/** Reads them; null where the tokenizer needs none. Throws what findCustomCode throws. */
export async function readTokenizerCode(path: string): Promise<TokenizerCode | null> {
  const code = await findCustomCode(path)
  return code && { folder: code.directory, className: code.className, hash: code.hash, sources: code.sources }
}

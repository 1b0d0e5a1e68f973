// The Python side of custom tokenizers, as text: what stands in for the libraries they import, and what answers the app.
import regexStub from '../python/regex_stub.py?raw'
import sentencepieceStub from '../python/sentencepiece_stub.py?raw'
import tiktokenStub from '../python/tiktoken_stub.py?raw'
import transformersStub from '../python/transformers_stub.py?raw'
import main from '../python/weightroom_tokenizer.py?raw'

/** Modules by name. */
export const PYTHON_MODULES: Readonly<Record<string, string>> = {
  regex_stub: regexStub,
  sentencepiece_stub: sentencepieceStub,
  tiktoken_stub: tiktokenStub,
  transformers_stub: transformersStub,
  weightroom_tokenizer: main,
}

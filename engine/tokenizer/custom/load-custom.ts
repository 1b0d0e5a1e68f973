// A Tokenizer whose work is done by a model's own Python file in the sandbox. The interface is synchronous, so a request blocks this thread until the child answers; limits end what does not come back.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openRandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import { createPythonProcess, type PythonAnswer, type PythonProcess, type SandboxFile } from '../../sandbox/python/python-process'
import { inputText } from '../input-text'
import type { StreamDecoder, Tokenizer } from '../types'
import { asDecoded, asIds, asVocabulary, problemOf, type CustomVocabulary } from './answers'
import type { CustomCode } from './custom-code'
import { PYTHON_MODULES } from './modules'

/** Importing the file and reading a vocabulary of 250 000 tokens takes about 10 s on a busy machine. */
const MAX_LOAD_MS = 60_000
/** A request that does nothing but loop ends after this; longer texts have more. */
const MIN_REQUEST_MS = 5000
/** Tokenizers in the sandbox take 10 to 40 s for a million characters. */
const MS_PER_CHARACTER = 0.1
/** Far below what a prompt of the longest context needs. */
const MAX_CUSTOM_TEXT_CHARACTERS = 1024 * 1024
/** The largest public vocabularies have 260 000 tokens. */
const MAX_CUSTOM_TOKENS = 1_000_000
/** One file handed over; vocabularies of public models have up to 20 MB. */
const MAX_MODEL_FILE_BYTES = 64 * 1024 * 1024

/** What a custom tokenizer may read: its configuration and vocabulary, nothing else of the folder. */
const VOCABULARY_FILE =
  /^(?:tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|vocab\.json|[\w.-]+\.(?:model|tiktoken|vocab|bpe)|vocab\.txt|merges\.txt)$/

/** Limits other than the usual ones. */
interface CustomLimits {
  readonly minRequestMs?: number
}

/**
 * Starts the sandbox and loads the tokenizer; `code` was consented to.
 * Throws "tokenizer/custom-code-failed" for what Python raised, "tokenizer/custom-code-stopped" for limits, "tokenizer/sandbox-unavailable".
 */
export async function loadCustomTokenizer(code: CustomCode, limits: CustomLimits = {}): Promise<Tokenizer> {
  const python = createPythonProcess({ modules: PYTHON_MODULES, files: await filesOf(code) })
  const request = { do: 'load', className: code.className, maxTokens: MAX_CUSTOM_TOKENS }
  try {
    unwrap(await python.ensureStarted(), code)
    const vocabulary = asVocabulary(unwrap(await python.ask(request, MAX_LOAD_MS), code), {
      path: pathOf(code),
      maxTokens: MAX_CUSTOM_TOKENS,
    })
    return createCustomTokenizer({ code, python, vocabulary, request, minRequestMs: limits.minRequestMs ?? MIN_REQUEST_MS })
  } catch (cause) {
    python[Symbol.dispose]()
    throw cause
  }
}

const pathOf = (code: CustomCode): string =>
  join(code.directory, code.sources.find(({ name }) => code.className.startsWith(name.slice(0, -2)))?.name ?? '')

async function filesOf(code: CustomCode): Promise<SandboxFile[]> {
  const files: SandboxFile[] = code.sources.map(({ name, text }) => ({ path: `/model/${name}`, bytes: new TextEncoder().encode(text) }))
  for (const name of await readdir(code.directory)) {
    const path = join(code.directory, name)
    if (!VOCABULARY_FILE.test(name) || !(await stat(path)).isFile()) continue
    using file = await openRandomAccessFile(path)
    const { sizeBytes } = file
    if (sizeBytes > MAX_MODEL_FILE_BYTES) throw engineError('bytes/file-too-large', { path, sizeBytes, maxBytes: MAX_MODEL_FILE_BYTES })
    files.push({ path: `/model/${name}`, bytes: await file.read({ offsetBytes: 0, sizeBytes }) })
  }
  return files
}

/** The answer's value. Throws what it says went wrong. */
function unwrap(answer: PythonAnswer, code: CustomCode): unknown {
  const path = pathOf(code)
  if (answer.ok) {
    const problem = problemOf(answer.value)
    if (problem !== null) throw engineError('tokenizer/custom-code-failed', { path, problem })
    return answer.value
  }
  if (answer.end === 'unrestricted' || answer.end === 'not-started')
    throw engineError('tokenizer/sandbox-unavailable', { reason: answer.end })
  throw engineError('tokenizer/custom-code-stopped', { path, end: answer.end, reason: answer.reason })
}

interface CustomParts {
  readonly code: CustomCode
  readonly python: PythonProcess
  readonly vocabulary: CustomVocabulary
  /** The request that loads the tokenizer, for a sandbox that was started again. */
  readonly request: object
  readonly minRequestMs: number
}

function createCustomTokenizer({ code, python, vocabulary, request, minRequestMs }: CustomParts): Tokenizer {
  const { pieces, special, named } = vocabulary
  const ask = (body: object, characters: number): unknown => {
    if (!python.alive()) {
      unwrap(python.ensureStartedNow(), code)
      unwrap(python.askNow(request, MAX_LOAD_MS), code)
    }
    return unwrap(python.askNow(body, minRequestMs + characters * MS_PER_CHARACTER), code)
  }
  const decode: Tokenizer['decode'] = (ids, { skipSpecial }) => {
    for (const id of ids) if (!Number.isSafeInteger(id) || id < 0) throw engineError('tokenizer/bad-id', { id })
    const known = ids.filter((id) => id < pieces.length)
    if (known.length === 0) return ''
    return asDecoded(ask({ do: 'decode', ids: [known], skipSpecial }, known.length), pathOf(code))
  }
  return {
    source: { file: pathOf(code), kind: 'custom-python' },
    vocabSize: pieces.length,
    bosTokenId: vocabulary.bosTokenId,
    eosTokenId: vocabulary.eosTokenId,
    specialTokens: named,
    parsesSpecialByDefault: true,
    encode: (text, { addSpecial, parseSpecial }) => {
      const checked = inputText(text)
      if (checked.length > MAX_CUSTOM_TEXT_CHARACTERS) {
        throw engineError('tokenizer/text-too-long', { characters: checked.length, maxCharacters: MAX_CUSTOM_TEXT_CHARACTERS })
      }
      const answer = ask({ do: 'encode', text: checked, addSpecial, parseSpecial }, checked.length)
      return asIds(answer, { path: pathOf(code), maxId: pieces.length - 1 })
    },
    decode,
    streamDecoder: (options) => createStream((ids) => decode(ids, options)),
    piece: (id) => pieces[id] ?? null,
    isSpecial: (id) => special.has(id),
    [Symbol.dispose]: () => python[Symbol.dispose](),
  }
}

/** Decodes the whole list at every id and gives out what is new: nothing is known of the decoder but that it decodes. The end of a character that may still come is held back. */
function createStream(decode: (ids: readonly number[]) => string): StreamDecoder {
  let ids: number[] = []
  let given = ''
  const advance = (text: string): string => {
    if (!text.startsWith(given)) return ''
    const delta = text.slice(given.length)
    given = text
    return delta
  }
  return {
    push: (id) => {
      ids.push(id)
      return advance(decode(ids).replace(/\ufffd+$/, ''))
    },
    flush: () => {
      const delta = ids.length === 0 ? '' : advance(decode(ids))
      ids = []
      given = ''
      return delta
    },
  }
}

// `weightroom tokenize`: texts to ids and back with a model's own tokenizer.
import type { Command } from 'commander'
import { Option } from 'commander'
import type { Tokenizer } from '../../../../engine/tokenizer/types'
import { printable } from '../../printable'
import { cliError } from '../cli-error'
import { trustedCode, trustTokenizerOption } from '../options'
import { writeJson, type Terminal } from '../terminal'

interface TokenizeOptions {
  readonly file?: string
  readonly text?: string
  /** A path, or true where --file names the file. */
  readonly linesJson?: string | true
  readonly trustTokenizer?: string
  readonly special?: true
  readonly json?: true
}

/** One text's ids, and the text that they decode to. */
interface Encoding {
  readonly ids: readonly number[]
  readonly decoded: string
}

/** Texts encoded between two looks at the clock: the event loop must notice Ctrl-C. */
const TEXTS_PER_TURN = 64

/** Adds `tokenize` to the program. */
export function registerTokenize(program: Command, terminal: Terminal): void {
  program
    .command('tokenize <model>')
    .description('turn text into token ids with the tokenizer of a model folder or tokenizer file')
    .addOption(new Option('--file <path>', 'the text of a file'))
    .addOption(new Option('--text <text>', 'this text').conflicts(['file', 'linesJson']))
    .addOption(new Option('--lines-json [path]', 'the file is a JSON array of texts; answer with an array').conflicts('text'))
    .option('--special', 'add the begin and end tokens, and recognise special tokens in any text')
    .addOption(trustTokenizerOption())
    .option('--json', 'answer with one JSON document: [{ids, decoded}]')
    .action(async (model: string, options: TokenizeOptions, command: Command) => {
      const { file, text, linesJson } = options
      const sources = [file, text, typeof linesJson === 'string' ? linesJson : undefined].filter((source) => source !== undefined)
      if (sources.length !== 1) command.error('error: one of --file and --text is needed')
      const [{ loadTokenizer }, { modelPath }] = await Promise.all([import('../../../../engine/tokenizer/load'), import('../model-path')])
      const tokenizer = await loadTokenizer(await modelPath(model, terminal.signal), trustedCode(options))
      const encodings = await encodeAll(tokenizer, {
        texts: await readTexts(options),
        special: options.special === true,
        signal: terminal.signal,
      })
      if (options.json) writeJson(terminal, encodings)
      else for (const { ids } of encodings) terminal.stdout.write(describeIds(tokenizer, ids))
    })
}

async function readTexts({ file, text, linesJson }: TokenizeOptions): Promise<readonly string[]> {
  if (text !== undefined) return [text]
  const { readJson, readText } = await import('../read-text')
  const path = typeof linesJson === 'string' ? linesJson : (file ?? '')
  if (linesJson === undefined) return [await readText(path)]
  const texts = await readJson(path)
  if (!Array.isArray(texts) || !texts.every((each) => typeof each === 'string')) {
    throw cliError('cli/wrong-shape', { path, expected: 'a JSON array of texts' })
  }
  return texts
}

async function encodeAll(
  tokenizer: Tokenizer,
  options: { readonly texts: readonly string[]; readonly special: boolean; readonly signal: AbortSignal },
): Promise<readonly Encoding[]> {
  const { texts, special, signal } = options
  const encodings: Encoding[] = []
  for (const [index, text] of texts.entries()) {
    if (index % TEXTS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    if (signal.aborted) throw cliError('cli/cancelled', {})
    const ids = tokenizer.encode(text, { addSpecial: special, parseSpecial: special || tokenizer.parsesSpecialByDefault })
    encodings.push({ ids, decoded: tokenizer.decode(ids, { skipSpecial: false }) })
  }
  return encodings
}

/** Ids with their pieces, one per line, for people. */
function describeIds(tokenizer: Tokenizer, ids: readonly number[]): string {
  const lines = ids.map((id) => `${String(id).padStart(7)}  ${printable(tokenizer.piece(id) ?? '')}`)
  return `${[...lines, `${ids.length} tokens`].join('\n')}\n`
}

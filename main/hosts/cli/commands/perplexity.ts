// `weightroom perplexity`: how well a model predicts a text, in one weight format or several side by side.
import type { Command } from 'commander'
import type { FormatOverride } from '../../../../engine/graph/format-override'
import type { WeightFormatName } from '../../../../engine/graph/weight-format'
import { preparedFolder } from '../../../prepared-folder'
import { dataFolder } from '../../data-folder'
import {
  formatList,
  formatOverrideOption,
  integerFrom,
  threadsOption,
  tokenizerOption,
  trustedCode,
  trustTokenizerOption,
} from '../options'
import { formatBytes, writeJson, type Terminal } from '../terminal'

interface PerplexityOptions {
  readonly trustTokenizer?: string
  readonly file: string
  readonly formats?: readonly WeightFormatName[]
  readonly formatOverride?: readonly FormatOverride[]
  readonly context: number
  readonly stride?: number
  readonly threads?: number
  readonly tokenizer?: string
  readonly json?: true
}

/** One line of the table. */
interface Row {
  readonly format: string
  readonly perplexity: number
  readonly tokensPerSecond: number
  readonly weightBytes: number
}

/** Adds `perplexity` to the program. */
export function registerPerplexity(program: Command, terminal: Terminal): void {
  program
    .command('perplexity <model>')
    .description('measure how well a model predicts a text; with --formats, what each weight format costs')
    .requiredOption('--file <file>', 'text file')
    .option('--formats <list>', 'weight formats to compare, separated by commas (default: the one that run chooses)', formatList)
    .addOption(formatOverrideOption())
    .option('--context <tokens>', 'tokens of the sliding window', integerFrom(2, 1_048_576), 512)
    .option('--stride <tokens>', 'tokens between windows (default: half a window)', integerFrom(1, 1_048_576))
    .addOption(tokenizerOption())
    .addOption(threadsOption())
    .addOption(trustTokenizerOption())
    .option('--json', 'answer with one JSON document')
    .action((model: string, options: PerplexityOptions) => perplexity(model, options, terminal))
}

async function perplexity(model: string, options: PerplexityOptions, terminal: Terminal): Promise<void> {
  const [{ loadModel }, { measurePerplexity }, { modelPath }, { readText }] = await Promise.all([
    import('../../../../engine/generate/load-model'),
    import('../../../../engine/generate/perplexity'),
    import('../model-path'),
    import('../read-text'),
  ])
  const { signal } = terminal
  const { threads, tokenizer } = options
  const path = await modelPath(model, signal)
  const text = await readText(options.file)
  const rows: Row[] = []
  let counted = { tokens: 0, windowTokens: 0, strideTokens: 0 }
  for (const format of options.formats ?? (['auto'] as const)) {
    using loaded = await loadModel(path, {
      format,
      ...(options.formatOverride && { formatOverrides: options.formatOverride }),
      prepared: { folder: preparedFolder(dataFolder(process.env)) },
      contextLength: options.context,
      signal,
      ...(tokenizer !== undefined && { tokenizer }),
      ...trustedCode(options),
      ...(threads !== undefined && { threads }),
    })
    const ids = loaded.tokenizer.encode(text, { addSpecial: true, parseSpecial: false })
    const windowTokens = loaded.contextLength
    const strideTokens = Math.min(options.stride ?? Math.ceil(windowTokens / 2), windowTokens - 1)
    const measured = await measurePerplexity({ decoder: loaded.decoder, ids, windowTokens, strideTokens, signal })
    counted = { tokens: measured.scoredTokens, windowTokens, strideTokens }
    rows.push({
      format: loaded.decoder.format ?? 'own',
      perplexity: measured.perplexity,
      tokensPerSecond: (measured.computedTokens * 1000) / measured.elapsedMs,
      weightBytes: loaded.decoder.weightBytes,
    })
  }
  if (options.json) writeJson(terminal, { ...counted, formats: rows })
  else terminal.stdout.write(describeRows(rows, counted))
}

function describeRows(
  rows: readonly Row[],
  counted: { readonly tokens: number; readonly windowTokens: number; readonly strideTokens: number },
): string {
  const lines = [
    `${counted.tokens} tokens, windows of ${counted.windowTokens} every ${counted.strideTokens}`,
    'format           perplexity   tokens/s   weights',
    ...rows.map(
      ({ format, perplexity: value, tokensPerSecond, weightBytes }) =>
        `${format.padEnd(16)} ${value.toFixed(4).padStart(10)} ${tokensPerSecond.toFixed(1).padStart(10)}   ${formatBytes(weightBytes)}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

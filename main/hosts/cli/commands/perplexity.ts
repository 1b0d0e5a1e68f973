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
  readonly file?: string
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
  /** The share by which it is higher than that of the first format. */
  readonly delta: number
  /** Tokens of the text. */
  readonly tokensPerSecond: number
  /** One after the other, as replies are written. */
  readonly decodeTokensPerSecond: number
  readonly weightBytes: number
  /** Resident memory of the process with the model loaded; what an earlier format left behind counts too. */
  readonly residentBytes: number
}

/** Adds `perplexity` to the program. */
export function registerPerplexity(program: Command, terminal: Terminal): void {
  program
    .command('perplexity <model>')
    .description('measure how well a model predicts a text; with --formats, what each weight format costs')
    .option('--file <file>', 'text file (default: a short built-in text in English and Chinese)')
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
  const [{ measureFormat }, { SAMPLE_TEXT }, { modelPath }, { readText }] = await Promise.all([
    import('../../../../engine/generate/measure-format'),
    import('../../../../engine/generate/sample-text'),
    import('../model-path'),
    import('../read-text'),
  ])
  const { signal } = terminal
  const { threads, tokenizer } = options
  const path = await modelPath(model, signal)
  const text = options.file === undefined ? SAMPLE_TEXT : await readText(options.file)
  const rows: Row[] = []
  let counted = { tokens: 0, windowTokens: 0, strideTokens: 0 }
  for (const format of options.formats ?? (['auto'] as const)) {
    const measured = await measureFormat(path, {
      text,
      windowTokens: options.context,
      ...(options.stride !== undefined && { strideTokens: options.stride }),
      format,
      ...(options.formatOverride && { formatOverrides: options.formatOverride }),
      prepared: { folder: preparedFolder(dataFolder(process.env)) },
      signal,
      ...(tokenizer !== undefined && { tokenizer }),
      ...trustedCode(options),
      ...(threads !== undefined && { threads }),
    })
    const { perplexity: value, scoredTokens: tokens, windowTokens, strideTokens, computedTokens, elapsedMs } = measured
    const { decodeTokensPerSecond, weightBytes, residentBytes } = measured
    counted = { tokens, windowTokens, strideTokens }
    rows.push({
      format: measured.format,
      perplexity: value,
      delta: value / (rows[0]?.perplexity ?? value) - 1,
      tokensPerSecond: (computedTokens * 1000) / elapsedMs,
      decodeTokensPerSecond,
      weightBytes,
      residentBytes,
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
    'format           perplexity     delta   text/s  reply/s   weights     memory',
    ...rows.map(({ format, perplexity: value, delta, tokensPerSecond, decodeTokensPerSecond, weightBytes, residentBytes }, index) =>
      [
        format.padEnd(16),
        value.toFixed(4).padStart(10),
        (index === 0 ? '-' : `${delta < 0 ? '' : '+'}${(100 * delta).toFixed(2)}%`).padStart(9),
        tokensPerSecond.toFixed(1).padStart(8),
        decodeTokensPerSecond.toFixed(1).padStart(8),
        formatBytes(weightBytes).padStart(9),
        formatBytes(residentBytes).padStart(10),
      ].join(' '),
    ),
  ]
  return `${lines.join('\n')}\n`
}

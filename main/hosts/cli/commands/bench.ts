// `weightroom bench`: load time, time to first token, prefill and decode speed and peak memory of a model on this machine.
import type { Command } from 'commander'
import type { FormatOverride } from '../../../../engine/graph/format-override'
import type { WeightFormatName } from '../../../../engine/graph/weight-format'
import type { OrtRuntime } from '../../../../engine/runtime/ort-types'
import type { GenerationModel } from '../../../../engine/generate/generate-options'
import type { GenerationStats, SamplingSettings } from '../../../../engine/generate/types'
import { engineError } from '../../../../engine/errors'
import { printable } from '../../printable'
import { cliError } from '../cli-error'
import { preparedFolder } from '../../../prepared-folder'
import { dataFolder } from '../../data-folder'
import { formatOption, formatOverrideOption, integerFrom, runtimeOption, threadsOption } from '../options'
import { formatBytes, writeJson, type Terminal } from '../terminal'

interface BenchOptions {
  readonly prompt?: number
  readonly tokens: number
  readonly runs: number
  readonly threads?: number
  readonly runtime?: OrtRuntime['kind']
  readonly format: WeightFormatName | 'auto'
  readonly formatOverride?: readonly FormatOverride[]
  readonly json?: true
}

const DEFAULT_PROMPT_TOKENS = 512
/** Tokens are counted, not read; none of them ends the run. */
const WITHOUT_TEXT = {
  createStreamDecoder: () => ({ push: () => '', flush: () => '' }),
  stopIds: new Set<number>(),
  stopStrings: [],
} satisfies Partial<GenerationModel>
const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 0, stop: [] } satisfies Partial<SamplingSettings>

/** Adds `bench` to the program. */
export function registerBench(program: Command, terminal: Terminal): void {
  program
    .command('bench <model>')
    .description('measure load time, speed and peak memory')
    .option(
      '--prompt <tokens>',
      `tokens of the prompt (default: ${DEFAULT_PROMPT_TOKENS}, or what the context window has room for)`,
      integerFrom(1, 1_000_000),
    )
    .option('--tokens <n>', 'tokens to generate', integerFrom(2, 1_000_000), 64)
    .option('--runs <n>', 'repetitions; medians are reported', integerFrom(1, 1000), 5)
    .addOption(formatOption('auto'))
    .addOption(formatOverrideOption())
    .addOption(threadsOption())
    .addOption(runtimeOption())
    .option('--json', 'answer with one JSON document')
    .action((model: string, options: BenchOptions) => bench(model, options, terminal))
}

async function bench(name: string, options: BenchOptions, terminal: Terminal): Promise<void> {
  const [{ openDecoder }, { defaultThreads }, { modelName }, { modelPath }] = await Promise.all([
    import('../../../../engine/generate/open-decoder'),
    import('../../../../engine/runtime/threads'),
    import('../../../../engine/inspect/model-files'),
    import('../model-path'),
  ])
  const { tokens, threads = defaultThreads(), runtime } = options
  const { signal } = terminal
  const path = await modelPath(name, signal)
  const startMs = terminal.now()
  // Weights alone are measured: a model whose tokenizer or chat template is missing or broken can be as fast as any.
  const { directory, contextLength, decoder } = await openDecoder(path, {
    signal,
    threads,
    format: options.format,
    ...(options.formatOverride && { formatOverrides: options.formatOverride }),
    prepared: { folder: preparedFolder(dataFolder(process.env)) },
    ...(runtime && { runtime }),
  })
  using model = { ...WITHOUT_TEXT, decoder, contextLength, [Symbol.dispose]: () => decoder[Symbol.dispose]() }
  const loadMs = terminal.now() - startMs
  const prompt = options.prompt ?? Math.max(1, Math.min(DEFAULT_PROMPT_TOKENS, model.contextLength - tokens))
  const neededTokens = prompt + tokens
  if (neededTokens > model.contextLength)
    throw engineError('runtime/context-overflow', { neededTokens, contextLength: model.contextLength })
  const runs: GenerationStats[] = []
  // The first run pays for pages that are read from disk; it is not counted.
  for (let index = 0; index <= options.runs; index++) {
    const stats = await benchRun(model, { prompt, tokens, signal })
    if (index > 0) runs.push(stats)
  }
  const result = {
    model: modelName(directory),
    format: decoder.format ?? 'own',
    runtime: decoder.runtimeKind,
    executionProvider: 'CPUExecutionProvider',
    threads,
    promptTokens: prompt,
    completionTokens: tokens,
    runs: runs.length,
    loadMs,
    ttftMs: median(runs.map((stats) => stats.ttftMs)),
    prefillTokensPerSecond: median(runs.map((stats) => stats.prefillTokensPerSecond)),
    decodeTokensPerSecond: median(runs.map((stats) => stats.tokensPerSecond)),
    // Kilobytes on every platform, as libuv reports them.
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  }
  if (options.json) writeJson(terminal, result)
  else terminal.stdout.write(describeResult(result))
}

/** One prompt of `prompt` tokens and exactly `tokens` greedy ones, through the same path as a chat. */
async function benchRun(
  model: GenerationModel,
  options: { readonly prompt: number; readonly tokens: number; readonly signal: AbortSignal },
): Promise<GenerationStats> {
  const { generate } = await import('../../../../engine/generate/generate')
  const { prompt, tokens, signal } = options
  const { vocabSize } = model.decoder.config
  // Any ids cost the same; a stride that is no divisor of usual vocabulary sizes avoids repeats.
  const promptIds = Array.from({ length: prompt }, (_, index) => (index * 7919) % vocabSize)
  for await (const event of generate({ model, promptIds, settings: { ...GREEDY, maxNewTokens: tokens }, signal })) {
    if (event.type !== 'finished') continue
    if (event.finishReason === 'cancelled') break
    return event.stats
  }
  throw cliError('cli/cancelled', {})
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

function describeResult(result: {
  readonly model: string
  readonly format: string
  readonly runtime: string
  readonly threads: number
  readonly promptTokens: number
  readonly completionTokens: number
  readonly runs: number
  readonly loadMs: number
  readonly ttftMs: number
  readonly prefillTokensPerSecond: number
  readonly decodeTokensPerSecond: number
  readonly peakMemoryBytes: number
}): string {
  const lines = [
    `${printable(result.model)}: ${result.format}, ${result.threads} threads, ${result.runtime}, medians of ${result.runs} runs`,
    `load               ${result.loadMs.toFixed(0)} ms`,
    `first token        ${result.ttftMs.toFixed(0)} ms after a prompt of ${result.promptTokens} tokens`,
    `prefill            ${result.prefillTokensPerSecond.toFixed(1)} tokens/s`,
    `decode             ${result.decodeTokensPerSecond.toFixed(1)} tokens/s over ${result.completionTokens} tokens`,
    `peak memory        ${formatBytes(result.peakMemoryBytes)}`,
  ]
  return `${lines.join('\n')}\n`
}

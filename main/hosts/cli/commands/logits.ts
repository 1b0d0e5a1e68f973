// `weightroom logits`: scores of every position of given ids, and optionally greedy ids, as a safetensors file; what other programs compare engines with.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { FormatOverride } from '../../../../engine/graph/format-override'
import type { WeightFormatName } from '../../../../engine/graph/weight-format'
import type { OrtRuntime } from '../../../../engine/runtime/ort-types'
import { preparedFolder } from '../../../prepared-folder'
import { dataFolder } from '../../data-folder'
import { formatOption, formatOverrideOption, integerFrom, runtimeOption, threadsOption, tokenIdList } from '../options'
import { TensorFileWriter } from '../tensor-file'
import { writeJson, type Terminal } from '../terminal'

interface LogitsOptions {
  readonly ids: readonly number[]
  readonly out: string
  readonly greedy?: number
  readonly format: WeightFormatName | 'auto'
  readonly formatOverride?: readonly FormatOverride[]
  readonly threads?: number
  readonly runtime?: OrtRuntime['kind']
  readonly json?: true
}

/** Positions per pass: the scores of one pass are held in memory, [64, vocabSize] F32. */
const POSITIONS_PER_PASS = 64

/** Adds `logits` to the program. */
export function registerLogits(program: Command, terminal: Terminal): void {
  program
    .command('logits <model>')
    .description('write the scores of every position of given token ids')
    .requiredOption('--ids <ids>', 'token ids, separated by commas', tokenIdList)
    .requiredOption('--out <file>', 'safetensors file: logits [1, S, V] F32')
    .option('--greedy <n>', 'also write greedy_ids [1, N] I64, what greedy decoding appends', integerFrom(1, 1_000_000))
    .addOption(formatOption('f32'))
    .addOption(formatOverrideOption())
    .addOption(threadsOption())
    .addOption(runtimeOption())
    .option('--json', 'answer with one JSON document')
    .action((model: string, options: LogitsOptions) => writeLogits(model, options, terminal))
}

async function writeLogits(model: string, options: LogitsOptions, terminal: Terminal): Promise<void> {
  const [{ openDecoder }, { greedyIds, positionLogits }, { modelPath }] = await Promise.all([
    import('../../../../engine/generate/open-decoder'),
    import('../../../../engine/generate/position-logits'),
    import('../model-path'),
  ])
  const { signal } = terminal
  const startMs = terminal.now()
  const { ids, greedy = 0, threads, runtime } = options
  const opened = await openDecoder(await modelPath(model, terminal.signal), {
    signal,
    format: options.format,
    ...(options.formatOverride && { formatOverrides: options.formatOverride }),
    prepared: { folder: preparedFolder(dataFolder(process.env)) },
    ...(threads !== undefined && { threads }),
    ...(runtime && { runtime }),
  })
  using decoder = opened.decoder
  const { vocabSize } = decoder.config
  const out = resolve(options.out)
  const slots = [
    { name: 'logits', dtype: 'F32', shape: [1, ids.length, vocabSize] } as const,
    ...(greedy > 0 ? [{ name: 'greedy_ids', dtype: 'I64', shape: [1, greedy] } as const] : []),
  ]
  await using file = await TensorFileWriter.create(out, slots)
  for await (const rows of positionLogits({ decoder, ids, positionsPerPass: POSITIONS_PER_PASS, signal })) await file.write(rows)
  if (greedy > 0) {
    const appended = await greedyIds({ decoder, promptIds: ids, count: greedy, signal })
    await file.write(BigInt64Array.from(appended, BigInt))
  }
  await file.commit()
  const ms = Math.round(terminal.now() - startMs)
  if (options.json) writeJson(terminal, { format: decoder.format ?? 'own', vocabSize, ms, runtime: decoder.runtimeKind })
  else
    terminal.stdout.write(
      `${out}: logits [1, ${ids.length}, ${vocabSize}]${greedy > 0 ? ` and greedy_ids [1, ${greedy}]` : ''} in ${ms} ms\n`,
    )
}

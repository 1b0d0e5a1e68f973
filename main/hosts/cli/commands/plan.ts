// `weightroom plan`: where a model's layers go on this machine, and the memory that is predicted there.
import type { Command } from 'commander'
import type { FormatOverride } from '../../../../engine/graph/format-override'
import type { WeightFormatName } from '../../../../engine/graph/weight-format'
import type { DeviceMap } from '../../../../engine/plan/types'
import { formatOption, formatOverrideOption, integerFrom, threadsOption } from '../options'
import { formatBytes, writeJson, type Terminal } from '../terminal'

interface PlanOptions {
  readonly context?: number
  readonly format: WeightFormatName | 'auto'
  readonly formatOverride?: readonly FormatOverride[]
  readonly threads?: number
  readonly speed?: true
  readonly json?: true
}

/** Adds `plan` to the program. */
export function registerPlan(program: Command, terminal: Terminal): void {
  program
    .command('plan <model>')
    .description('show where the layers go and the memory they will take; a config.json without weights will do')
    .addOption(formatOption('auto'))
    .addOption(formatOverrideOption())
    .addOption(threadsOption())
    .option('--speed', 'estimate tokens per second too, from how fast this machine multiplies (about a second)')
    .option('--context <tokens>', 'length of the context window', integerFrom(16, 1_048_576))
    .option('--json', 'answer with one JSON document')
    .action((model: string, options: PlanOptions) => plan(model, options, terminal))
}

async function plan(model: string, options: PlanOptions, terminal: Terminal): Promise<void> {
  const [{ DEFAULT_CONTEXT_LENGTH }, { planModel }, { modelPath }] = await Promise.all([
    import('../../../../engine/generate/load-model'),
    import('../../../engine/worker/plan-model'),
    import('../model-path'),
  ])
  const { signal } = terminal
  const map = await planModel({
    path: await modelPath(model, signal),
    contextLength: options.context ?? null,
    defaultContextLength: DEFAULT_CONTEXT_LENGTH,
    weightFormat: options.format,
    formatOverrides: options.formatOverride ?? [],
    threads: options.threads ?? null,
    signal,
  })
  const speed = options.speed ? await estimate(map, options.threads ?? null, signal) : null
  if (options.json) writeJson(terminal, { ...map, ...(speed && { speed }) })
  else
    terminal.stdout.write(
      describeMap(map) + (speed === null ? '' : `decode            about ${speed.tokensPerSecond.toFixed(1)} tokens/s, estimated\n`),
    )
}

/** Tokens a second of one reply, with what the kernels were measured at. */
async function estimate(map: DeviceMap, threads: number | null, signal: AbortSignal) {
  const [{ measureKernels }, { estimateDecodeSpeed }] = await Promise.all([
    import('../../../../engine/runtime/measure-kernels'),
    import('../../../../engine/plan/speed-model'),
  ])
  const kernels = await measureKernels({ threads, signal })
  return { basis: 'estimated' as const, tokensPerSecond: estimateDecodeSpeed(map, kernels), kernels }
}

/** The map as lines for people: every device with the parts of its prediction. */
function describeMap({ contextLength, weightDtype, format, preparedBytes, preparingBytes, stages, devices, fits }: DeviceMap): string {
  const as = format === null ? '' : ` computed as ${format}`
  const lines = [`${weightDtype} weights${as}, context of ${contextLength} tokens: ${fits ? 'fits' : 'does not fit'}`]
  for (const { id, name, freeBytes, totalBytes, predicted } of devices) {
    const layers = stages.filter((stage) => stage.device === id && stage.kind === 'layer').length
    const beside = stages.filter((stage) => stage.device === id && stage.kind !== 'layer').map(({ kind }) => kind)
    lines.push(
      `${id}: ${name}, ${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}`,
      `  ${[`${layers} layers`, ...beside].join(', ')}`,
      `  weights         ${formatBytes(predicted.weightBytes)}`,
      `  keys and values ${formatBytes(predicted.kvBytes)}`,
      `  workspace       ${formatBytes(predicted.workspaceBytes)}`,
      `  engine          ${formatBytes(predicted.baseBytes)}`,
      `  predicted peak  ${formatBytes(predicted.totalBytes)}`,
    )
  }
  if (preparedBytes > 0)
    lines.push(
      `prepared file     ${formatBytes(preparedBytes)} on the disk; a load that makes it first peaks at ${formatBytes(preparingBytes)}`,
    )
  return `${lines.join('\n')}\n`
}

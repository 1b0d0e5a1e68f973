// `weightroom plan`: where a model's layers go on this machine, and the memory that is predicted there.
import type { Command } from 'commander'
import type { DeviceMap } from '../../../../engine/plan/types'
import { integerFrom } from '../options'
import { formatBytes, writeJson, type Terminal } from '../terminal'

interface PlanOptions {
  readonly context?: number
  readonly json?: true
}

/** Adds `plan` to the program. */
export function registerPlan(program: Command, terminal: Terminal): void {
  program
    .command('plan <model>')
    .description('show where the layers go and the memory they will take')
    .option('--context <tokens>', 'length of the context window', integerFrom(16, 1_048_576))
    .option('--json', 'answer with one JSON document')
    .action((model: string, options: PlanOptions) => plan(model, options, terminal))
}

async function plan(model: string, options: PlanOptions, terminal: Terminal): Promise<void> {
  const [{ DEFAULT_CONTEXT_LENGTH }, { planModel }, { modelPath }] = await Promise.all([
    import('../../../../engine/generate/load-model'),
    import('../../../engine/worker/describe'),
    import('../model-path'),
  ])
  const { signal } = terminal
  const path = await modelPath(model, signal)
  const map = await planModel({ path, contextLength: options.context ?? null }, { defaultContextLength: DEFAULT_CONTEXT_LENGTH, signal })
  if (options.json) writeJson(terminal, map)
  else terminal.stdout.write(describeMap(map))
}

/** The map as lines for people: every device with the parts of its prediction. */
function describeMap({
  contextLength,
  weightDtype,
  stages,
  devices,
  fits,
}: Omit<DeviceMap, 'devices'> & { readonly devices: readonly Omit<DeviceMap['devices'][number], 'measuredBytes'>[] }): string {
  const lines = [`${weightDtype} weights, context of ${contextLength} tokens: ${fits ? 'fits' : 'does not fit'}`]
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
  return `${lines.join('\n')}\n`
}

// `weightroom inspect`: what a model folder or a weight file holds, from headers alone; `--tensor` reads one tensor.
import type { Command } from 'commander'
import type { Inspection } from '../../../../engine/inspect/inspect-checkpoint'
import type { TensorStatistics } from '../../../../engine/inspect/tensor-statistics'
import { printable } from '../../printable'
import { tokenizerOption } from '../options'
import { formatBytes, writeJson, type Terminal } from '../terminal'

interface InspectOptions {
  readonly tensor?: string
  readonly tokenizer?: string
  readonly json?: true
}

/** Of a metadata value that people are shown; --json has all of it. */
const MAX_METADATA_CHARACTERS = 400

/** Adds `inspect` to the program. */
export function registerInspect(program: Command, terminal: Terminal): void {
  program
    .command('inspect <path>')
    .description('show the format, configuration, tokenizer and tensors of a model folder or weight file')
    .option('--tensor <name>', 'statistics and first values of one tensor')
    .addOption(tokenizerOption())
    .option('--json', 'answer with one JSON document')
    .action(async (path: string, options: InspectOptions) => {
      const { modelPath } = await import('../model-path')
      const found = await modelPath(path, terminal.signal)
      if (options.tensor === undefined) await showModel(found, options, terminal)
      else await showTensor(found, { name: options.tensor, json: options.json }, terminal)
    })
}

async function showModel(path: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  const { inspectCheckpoint } = await import('../../../../engine/inspect/inspect-checkpoint')
  const inspection = await inspectCheckpoint(path, {
    signal: terminal.signal,
    ...(options.tokenizer !== undefined && { tokenizer: options.tokenizer }),
  })
  if (options.json) {
    const { format, files, config, tokenizer, quantization, metadata, parameterCount, weightBytes, dtype, notes } = inspection
    const tensors = inspection.tensors.map(({ name, dtype: type, shape, sizeBytes, file, ...place }) => ({
      name,
      dtype: type,
      shape,
      sizeBytes,
      file,
      ...(place.storage === 'computed'
        ? { computed: place.computation, ...(place.block && { block: place.block }) }
        : { offsetBytes: place.offsetBytes }),
    }))
    writeJson(terminal, {
      format,
      files,
      ...(config && { config }),
      ...(tokenizer && { tokenizer }),
      ...(quantization && { quantization }),
      metadata,
      parameterCount,
      weightBytes,
      dtype,
      tensors,
      notes: notes.map(({ text }) => text),
    })
  } else terminal.stdout.write(describeModel(inspection))
}

async function showTensor(
  path: string,
  options: { readonly name: string; readonly json: true | undefined },
  terminal: Terminal,
): Promise<void> {
  const [{ openCheckpoint }, { tensorStatistics }] = await Promise.all([
    import('../../../../engine/checkpoint/open'),
    import('../../../../engine/inspect/tensor-statistics'),
  ])
  const { signal } = terminal
  using checkpoint = await openCheckpoint(path, { signal })
  const { name } = options
  const statistics = await tensorStatistics(checkpoint, { name, signal })
  if (options.json) writeJson(terminal, statistics)
  else terminal.stdout.write(describeTensor(statistics))
}

/** The inspection as lines for people. */
function describeModel(inspection: Inspection): string {
  const { path, format, files, config, tokenizer, metadata, parameterCount, weightBytes, dtype, tensors, notes } = inspection
  const modelType = typeof config?.['model_type'] === 'string' ? config['model_type'] : null
  const nameWidth = tensors.reduce((width, { name }) => Math.max(width, printable(name).length), 0)
  const lines = [
    printable(path),
    `format      ${format}, ${files.length} ${files.length === 1 ? 'file' : 'files'}, ${formatBytes(weightBytes)} of weights`,
    `parameters  ${parameterCount.toLocaleString('en')}${dtype === null ? '' : `, mostly ${dtype}`}`,
    ...(modelType === null ? [] : [`family      ${printable(modelType)}`]),
    ...(tokenizer ? [`tokenizer   ${tokenizer.files.join(', ')}`] : []),
    ...Object.entries(metadata).map(([key, value]) => `metadata    ${describeMetadata(key, value)}`),
    ...notes.map(({ text }) => `note        ${printable(text)}`),
    '',
    ...tensors.map(
      (tensor) =>
        `${printable(tensor.name).padEnd(nameWidth)}  ${describeType(tensor).padEnd(5)} [${tensor.shape.join(', ')}]  ${formatBytes(tensor.sizeBytes)}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

/** The dtype as tensors are read, and the blocks that it is made from. */
function describeType(tensor: Inspection['tensors'][number]): string {
  const block = tensor.storage === 'computed' ? tensor.block : undefined
  return block ? `${tensor.dtype} from ${block.type}` : tensor.dtype
}

/** A metadata entry on one line; some files keep whole documents there. */
function describeMetadata(key: string, value: string): string {
  const shown =
    value.length > MAX_METADATA_CHARACTERS ? `${value.slice(0, MAX_METADATA_CHARACTERS)}... (${value.length} characters)` : value
  return printable(`${key}: ${shown}`)
}

/** A tensor's statistics as lines for people. */
function describeTensor(statistics: TensorStatistics): string {
  const { name, dtype, shape, elements, firstValues, ...numbers } = statistics
  const lines = [
    `${printable(name)}  ${dtype} [${shape.join(', ')}], ${elements.toLocaleString('en')} elements`,
    ...Object.entries(numbers).map(([key, value]) => `${key.padEnd(13)} ${value === null ? 'none' : String(value)}`),
    `first values  ${firstValues.map((value) => Number(value.toPrecision(7))).join(', ')}${elements > firstValues.length ? ', ...' : ''}`,
  ]
  return `${lines.join('\n')}\n`
}

// `weightroom convert`: one checkpoint format into another, verified; `--dry-run` shows the plan and writes nothing.
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { CastTarget } from '../../../../engine/convert/cast'
import type { ConfigValue, ConversionPlan, ConversionReport, ConversionRequest } from '../../../../engine/convert/types'
import { describeConversionPlan, describeConversionReport, describeLeftBehind, ProgressLine } from '../conversion-text'
import { tokenizerOption } from '../options'
import { writeJson, type Terminal } from '../terminal'

interface ConvertOptions {
  readonly to: string
  readonly out: string
  readonly dtype?: CastTarget
  readonly maxShardSize?: number
  readonly stripPrefix?: true | string
  readonly config?: string
  readonly family?: string
  readonly tokenizer?: string
  readonly quantize?: 'q8' | 'q4'
  readonly set?: Readonly<Record<string, ConfigValue>>
  readonly include?: 'model' | 'optimizer'
  readonly dryRun?: true
  readonly force?: true
  readonly sync: boolean
  readonly json?: true
}

const DTYPE_NAMES: Readonly<Record<string, CastTarget>> = {
  f64: 'F64',
  float64: 'F64',
  double: 'F64',
  f32: 'F32',
  fp32: 'F32',
  float32: 'F32',
  float: 'F32',
  f16: 'F16',
  fp16: 'F16',
  float16: 'F16',
  half: 'F16',
  bf16: 'BF16',
  bfloat16: 'BF16',
}

function dtypeName(text: string): CastTarget {
  const name = text.toLowerCase()
  const dtype = Object.hasOwn(DTYPE_NAMES, name) ? DTYPE_NAMES[name] : undefined
  if (dtype === undefined) throw new InvalidArgumentError('It must be one of f64, f32, f16, bf16.')
  return dtype
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
}

/** A size such as 2GB (decimal, as in Transformers), 512MiB or a number of bytes. */
function sizeInBytes(text: string): number {
  const [, digits = '', letters = ''] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text) ?? []
  const unit = SIZE_UNITS[letters.toUpperCase()]
  const sizeBytes = Math.floor(Number(digits) * (unit ?? 0))
  if (digits === '' || unit === undefined || sizeBytes < 1 || sizeBytes > Number.MAX_SAFE_INTEGER)
    throw new InvalidArgumentError('It must be a size such as 2GB, 512MiB or 5000000.')
  return sizeBytes
}

/** `name=value` for config.json: the value as JSON where it is a number, a switch or null, else a word. */
function setting(text: string, earlier: Readonly<Record<string, ConfigValue>> = {}): Readonly<Record<string, ConfigValue>> {
  const [, name = '', raw = ''] = /^([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)=(.+)$/.exec(text) ?? []
  if (name === '') throw new InvalidArgumentError('It must be like rope_theta=1e6.')
  const isNumber = raw.trim() !== '' && Number.isFinite(Number(raw))
  const words: Readonly<Record<string, ConfigValue>> = { true: true, false: false, null: null }
  return { ...earlier, [name]: isNumber ? Number(raw) : Object.hasOwn(words, raw) ? (words[raw] ?? null) : raw }
}

/** Adds `convert` to the program. */
export function registerConvert(program: Command, terminal: Terminal): void {
  program
    .command('convert <source>')
    .description('convert a model folder or weight file into another format, verified')
    .requiredOption('--to <format>', 'safetensors, torch (.bin), pth, npz, gguf or onnx')
    .requiredOption('--out <path>', 'folder or file of the result')
    .option('--dtype <dtype>', 'cast floating-point tensors: f64, f32, f16 or bf16', dtypeName)
    .option('--max-shard-size <size>', 'most tensor bytes in one file, such as 2GB', sizeInBytes)
    .option('--strip-prefix [prefix]', 'remove a prefix from the names; without a value module. and _orig_mod.')
    .option('--config <file>', 'config.json to put beside the weights')
    .addOption(tokenizerOption())
    .option('--family <name>', 'map a custom state dict onto a family such as llama, or onto the one that fits: auto')
    .option('--set <name=value>', 'a field of the config.json that --family writes; can be given several times', setting)
    .addOption(new Option('--include <part>', 'of a training checkpoint, also the optimizer').choices(['model', 'optimizer']))
    .addOption(new Option('--quantize <format>', 'matrices as blocks of 32 numbers, in GGUF').choices(['q8', 'q4']))
    .option('--dry-run', 'show the plan and write nothing')
    .option('--force', 'replace an earlier result')
    .option('--no-sync', 'do not wait until the result has reached the disk: faster, but a power cut may cost it')
    .option('--json', 'answer with one JSON document')
    .action((source: string, options: ConvertOptions) => runConvert(source, options, terminal))
}

async function toRequest(source: string, options: ConvertOptions, terminal: Terminal): Promise<ConversionRequest> {
  const [{ isOutputFormat, OUTPUT_FORMATS }, { engineError }, { modelPath }] = await Promise.all([
    import('../../../../engine/checkpoint/writers/formats'),
    import('../../../../engine/errors'),
    import('../model-path'),
  ])
  const { to, out, dtype, maxShardSize, stripPrefix, config, tokenizer, family, quantize, set, include, force, sync } = options
  const notAvailable = (what: string): Error =>
    engineError('convert/not-available', { what, available: OUTPUT_FORMATS.map((each) => `--to ${each}`) })
  if (!isOutputFormat(to)) throw notAvailable(`Writing ${to}`)
  return {
    source: await modelPath(source, terminal.signal),
    to,
    out,
    sync,
    signal: terminal.signal,
    ...(dtype && { dtype }),
    ...(maxShardSize !== undefined && { maxShardBytes: maxShardSize }),
    ...(stripPrefix !== undefined && { stripPrefix: stripPrefix === true ? ('wrappers' as const) : { prefix: stripPrefix } }),
    ...(config !== undefined && { config }),
    ...(tokenizer !== undefined && { tokenizer }),
    ...(family !== undefined && { family }),
    ...(set && { settings: set }),
    ...(include && { include }),
    ...(quantize && { quantize }),
    ...(force && { force }),
  }
}

async function runConvert(source: string, options: ConvertOptions, terminal: Terminal): Promise<void> {
  const request = await toRequest(source, options, terminal)
  if (options.dryRun) {
    const { planConversion } = await import('../../../../engine/convert/plan')
    show(await planConversion(request), { json: options.json, text: describeConversionPlan, terminal })
    return
  }
  const { convert } = await import('../../../../engine/convert/convert')
  const startMs = terminal.now()
  using line = new ProgressLine(terminal)
  const report = await convert({ ...request, onEvent: (event) => line.show(event) })
  line.clear()
  const elapsedMs = Math.round(terminal.now() - startMs)
  show({ ...report, elapsedMs }, { json: options.json, text: describeConversionReport, terminal })
}

function show<T extends ConversionPlan | ConversionReport>(
  document: T,
  options: { readonly json: true | undefined; readonly text: (document: T) => string; readonly terminal: Terminal },
): void {
  if (options.json) {
    const { dropped, notes } = document
    writeJson(options.terminal, { ...document, dropped: dropped.map(describeLeftBehind), notes: notes.map(({ text }) => text) })
  } else options.terminal.stdout.write(options.text(document))
}

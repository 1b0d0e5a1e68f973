// `weightroom run`: chats with a model in the terminal, or answers once.
import type { Command } from 'commander'
import type { LoadedModel } from '../../../../engine/generate/load-model'
import type { SamplingSettings } from '../../../../engine/generate/types'
import type { OrtRuntime } from '../../../../engine/runtime/ort-types'
import { cliError } from '../cli-error'
import { collect, deviceMapOption, formatOption, integerFrom, numberFrom, runtimeOption, threadsOption } from '../options'
import { writeJson, writeText, type Terminal } from '../terminal'

/** Options of `run` as commander hands them over. */
interface RunOptions {
  readonly raw?: true
  readonly system?: string
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly minP?: number
  readonly repetitionPenalty?: number
  readonly seed?: number
  readonly stop?: readonly string[]
  readonly context?: number
  readonly threads?: number
  readonly runtime?: OrtRuntime['kind']
  readonly json?: true
}

/** Adds `run` to the program. */
export function registerRun(program: Command, terminal: Terminal): void {
  program
    .command('run <model> [prompt]')
    .description('chat with a model; with a prompt, answer once')
    .option('--raw', "complete the prompt as it is, without the model's chat template")
    .option('--system <text>', 'system prompt')
    .option('--max-tokens <n>', 'most tokens of a reply', integerFrom(1, 1_000_000))
    .option('--temperature <t>', '0 always takes the likeliest token', numberFrom(0, 5))
    .option('--top-k <n>', 'sample from the n likeliest tokens; 0 = all', integerFrom(0, 1_000_000))
    .option('--top-p <p>', 'sample from the likeliest tokens that sum to p; 1 = all', numberFrom(0, 1))
    .option('--min-p <p>', 'leave out tokens below p times the likeliest; 0 = none', numberFrom(0, 1))
    .option('--repetition-penalty <x>', 'above 1 discourages tokens that were used before', numberFrom(0.1, 5))
    .option('--seed <n>', 'the same seed gives the same reply', integerFrom(0, 4_294_967_295))
    .option('--stop <text>', 'end the reply before this text (may be repeated)', collect)
    .option('--context <tokens>', 'length of the context window', integerFrom(16, 1_048_576))
    .addOption(formatOption())
    .addOption(deviceMapOption())
    .addOption(threadsOption())
    .addOption(runtimeOption())
    .option('--json', 'answer with one JSON document')
    .action((model: string, prompt: string | undefined, options: RunOptions) => run({ model, prompt, options }, terminal))
}

async function run(
  call: { readonly model: string; readonly prompt: string | undefined; readonly options: RunOptions },
  terminal: Terminal,
): Promise<void> {
  const { options } = call
  const interactive = call.prompt === undefined && terminal.stdin.isTTY === true && options.json === undefined && options.raw === undefined
  const prompt = interactive ? '' : (call.prompt ?? (await readAll(terminal)))
  if (!interactive && prompt.trim() === '') throw cliError('cli/no-prompt', {})
  using model = await loadFor(call.model, { options, signal: terminal.signal })
  if (options.raw === undefined && model.chatTemplateProblem !== null) throw model.chatTemplateProblem
  const settings = settingsFor(model, options)
  if (interactive) {
    const { runChat } = await import('../chat')
    await runChat({ model, settings, system: options.system }, terminal)
  } else await answerOnce({ model, prompt, options, settings }, terminal)
}

async function loadFor(
  name: string,
  { options, signal }: { readonly options: RunOptions; readonly signal: AbortSignal },
): Promise<LoadedModel> {
  const [{ loadModel }, { modelPath }] = await Promise.all([import('../../../../engine/generate/load-model'), import('../model-path')])
  const { context, threads, runtime } = options
  return loadModel(await modelPath(name, signal), {
    contextLength: context ?? null,
    signal,
    ...(threads !== undefined && { threads }),
    ...(runtime && { runtime }),
  })
}

/** The model's defaults with what the options say instead. */
function settingsFor({ defaultSampling }: LoadedModel, options: RunOptions): SamplingSettings {
  return {
    temperature: options.temperature ?? defaultSampling.temperature,
    topK: options.topK ?? defaultSampling.topK,
    topP: options.topP ?? defaultSampling.topP,
    minP: options.minP ?? defaultSampling.minP,
    repetitionPenalty: options.repetitionPenalty ?? defaultSampling.repetitionPenalty,
    seed: options.seed ?? null,
    maxNewTokens: options.maxTokens ?? defaultSampling.maxNewTokens,
    stop: options.stop ?? [],
  }
}

/** Answers one prompt: the text as it comes, or one JSON document. */
async function answerOnce(
  call: { readonly model: LoadedModel; readonly prompt: string; readonly options: RunOptions; readonly settings: SamplingSettings },
  terminal: Terminal,
): Promise<void> {
  const { model, prompt, options, settings } = call
  const { generate } = await import('../../../../engine/generate/generate')
  const promptIds = options.raw
    ? model.tokenizer.encode(prompt, { addSpecial: true, parseSpecial: true })
    : model.encodeChat([
        ...(options.system === undefined ? [] : [{ role: 'system', content: options.system } as const]),
        { role: 'user', content: prompt },
      ])
  const events = generate({ model, promptIds, settings, continuesPrompt: options.raw === true, signal: terminal.signal })
  for await (const event of events) {
    if (event.type === 'delta' && !options.json) writeText(terminal, event.text)
    if (event.type !== 'finished') continue
    const { text, ids: tokens, finishReason, stopString, stats } = event
    if (options.json)
      writeJson(terminal, {
        text,
        tokens,
        finishReason,
        ...(stopString !== null && { stopString }),
        stats: { ...stats, loadMs: model.loadMs },
      })
    else if (!text.endsWith('\n')) terminal.stdout.write('\n')
    if (finishReason === 'context')
      terminal.stderr.write(`The reply was cut: the context window of ${model.contextLength} tokens is full.\n`)
  }
}

/** Everything on standard input. */
async function readAll({ stdin }: Terminal): Promise<string> {
  if (stdin.isTTY === true) return ''
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

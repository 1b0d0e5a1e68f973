// `weightroom run`: chats with a model in the terminal, or answers once.
import type { Command } from 'commander'
import type { LoadedModel } from '../../../../engine/generate/load-model'
import type { GenerateEvent, SamplingSettings } from '../../../../engine/generate/types'
import type { FormatOverride } from '../../../../engine/graph/format-override'
import type { WeightFormatName } from '../../../../engine/graph/weight-format'
import type { OrtRuntime } from '../../../../engine/runtime/ort-types'
import type { ChatExtras } from '../../../../engine/tokenizer/encode-chat'
import { preparedFolder } from '../../../prepared-folder'
import { dataFolder } from '../../data-folder'
import { cliError } from '../cli-error'
import {
  deviceMapOption,
  formatOption,
  formatOverrideOption,
  integerFrom,
  runtimeOption,
  threadsOption,
  tokenizerOption,
  trustedCode,
  trustTokenizerOption,
} from '../options'
import { addSamplingOptions, samplingSettings, type SamplingOptions } from '../sampling-options'
import { addTemplateOptions, chatExtras, noteFallback, type TemplateOptions } from '../template-options'
import { writeJson, writeText, type Terminal } from '../terminal'

/** Options of `run` as commander hands them over. */
interface RunOptions extends SamplingOptions, TemplateOptions {
  readonly raw?: true
  readonly system?: string
  readonly logprobs?: number
  readonly context?: number
  readonly tokenizer?: string
  readonly threads?: number
  readonly runtime?: OrtRuntime['kind']
  readonly format: WeightFormatName | 'auto'
  readonly formatOverride?: readonly FormatOverride[]
  readonly trustTokenizer?: string
  readonly json?: true
}

/** Adds `run` to the program. */
export function registerRun(program: Command, terminal: Terminal): void {
  const command = program
    .command('run <model> [prompt]')
    .description('chat with a model; with a prompt, answer once')
    .option('--raw', "complete the prompt as it is, without the model's chat template")
    .option('--system <text>', 'system prompt')
  addSamplingOptions(addTemplateOptions(command))
    .option('--logprobs <n>', "with --json: each token's log-probability and n alternatives, before any setting acts", integerFrom(0, 20))
    .option('--context <tokens>', 'length of the context window', integerFrom(16, 1_048_576))
    .addOption(tokenizerOption())
    .addOption(formatOption('auto'))
    .addOption(formatOverrideOption())
    .addOption(deviceMapOption())
    .addOption(threadsOption())
    .addOption(runtimeOption())
    .addOption(trustTokenizerOption())
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
  if (options.raw === undefined) noteFallback(model.chatTemplate, terminal)
  const [settings, extras] = await Promise.all([samplingSettings(model.defaultSampling, options), chatExtras(options)])
  if (interactive) {
    const { runChat } = await import('../chat')
    await runChat({ model, settings, extras, system: options.system }, terminal)
  } else await answerOnce({ model, prompt, options, settings, extras }, terminal)
}

async function loadFor(
  name: string,
  { options, signal }: { readonly options: RunOptions; readonly signal: AbortSignal },
): Promise<LoadedModel> {
  const [{ loadModel }, { modelPath }] = await Promise.all([import('../../../../engine/generate/load-model'), import('../model-path')])
  const { context, threads, runtime, tokenizer, templateName } = options
  return loadModel(await modelPath(name, signal), {
    contextLength: context ?? null,
    templateName,
    format: options.format,
    ...(options.formatOverride && { formatOverrides: options.formatOverride }),
    prepared: { folder: preparedFolder(dataFolder(process.env)) },
    signal,
    ...(tokenizer !== undefined && { tokenizer }),
    ...trustedCode(options),
    ...(threads !== undefined && { threads }),
    ...(runtime && { runtime }),
  })
}

/** Answers one prompt: the text as it comes, or one JSON document. */
async function answerOnce(
  call: {
    readonly model: LoadedModel
    readonly prompt: string
    readonly options: RunOptions
    readonly settings: SamplingSettings
    readonly extras: ChatExtras
  },
  terminal: Terminal,
): Promise<void> {
  const { model, prompt, options, settings, extras } = call
  const { generate } = await import('../../../../engine/generate/generate')
  const promptIds = options.raw
    ? model.tokenizer.encode(prompt, { addSpecial: true, parseSpecial: true })
    : model.encodeChat(
        [
          ...(options.system === undefined ? [] : [{ role: 'system', content: options.system } as const]),
          { role: 'user', content: prompt },
        ],
        extras,
      )
  const logprobs: object[] = []
  const events = generate({
    model,
    promptIds,
    settings,
    continuesPrompt: options.raw === true,
    signal: terminal.signal,
    ...(options.logprobs !== undefined && options.json === true && { topLogprobs: options.logprobs }),
  })
  for await (const event of events) {
    if (event.type === 'delta' && !options.json) writeText(terminal, event.text)
    if (event.type === 'token') logprobs.push(describeToken(event, model))
    if (event.type !== 'finished') continue
    const { text, ids: tokens, finishReason, stopString, stats } = event
    if (options.json)
      writeJson(terminal, {
        text,
        tokens,
        finishReason,
        ...(stopString !== null && { stopString }),
        ...(options.logprobs !== undefined && { logprobs }),
        stats: { ...stats, loadMs: model.loadMs },
      })
    else if (!text.endsWith('\n')) terminal.stdout.write('\n')
    if (finishReason === 'context')
      terminal.stderr.write(`The reply was cut: the context window of ${model.contextLength} tokens is full.\n`)
  }
}

/** A token as the OpenAI API lists it, with its id. */
function describeToken(event: GenerateEvent & { type: 'token' }, { vocabulary }: LoadedModel): object {
  const listed = ({ id, logprob }: { readonly id: number; readonly logprob: number }) => ({ id, token: vocabulary.textOf(id), logprob })
  return { ...listed(event), top: event.alternatives.map(listed) }
}

/** Everything on standard input. */
async function readAll({ stdin }: Terminal): Promise<string> {
  if (stdin.isTTY === true) return ''
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

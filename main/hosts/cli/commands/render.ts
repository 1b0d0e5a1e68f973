// `weightroom render`: the prompt that a chat template makes of a conversation.
import { type Command, InvalidArgumentError } from 'commander'
import { cliError } from '../cli-error'
import { trustedCode, trustTokenizerOption } from '../options'
import { noteFallback } from '../template-options'
import { writeJson, writeText, type Terminal } from '../terminal'

interface RenderOptions {
  readonly chat: string
  readonly date?: string
  readonly trustTokenizer?: string
  readonly now?: Date
  readonly templateName?: string
  readonly json?: true
}

/** Adds `render` to the program. */
export function registerRender(program: Command, terminal: Terminal): void {
  program
    .command('render <model-or-template>')
    .description("show the prompt that a model's chat template, or a .jinja file, makes of a conversation")
    .requiredOption(
      '--chat <file>',
      'JSON: {messages, tools?, documents?, add_generation_prompt?, continue_final_message?, ...}; every key is a variable of the template',
    )
    .option('--date <text>', 'what strftime_now gives, whatever its format')
    .addOption(trustTokenizerOption())
    .option('--now <time>', "the time that strftime_now writes in the template's own format, such as 2024-07-26T09:00", isoTime)
    .option('--template-name <name>', 'one of several templates of the model, such as tool_use or rag')
    .option('--json', 'answer with one JSON document: {prompt}')
    .action(async (model: string, options: RenderOptions) => {
      const [{ renderChatWith }, { modelPath }] = await Promise.all([
        import('../../../../engine/generate/render-chat'),
        import('../model-path'),
      ])
      const clock = await clockOf(options)
      const rendered = await renderChatWith(await modelPath(model, terminal.signal), await readVariables(options.chat), {
        ...trustedCode(options),
        templateName: options.templateName,
        ...(clock && { strftimeNow: clock }),
      })
      noteFallback(rendered, terminal)
      if (options.json) writeJson(terminal, { prompt: rendered.prompt })
      else writeText(terminal, rendered.prompt)
    })
}

function isoTime(text: string): Date {
  // A date alone would be midnight in London.
  const time = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text)
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(time.getTime())) throw new InvalidArgumentError('It must be like 2024-07-26T09:00.')
  return time
}

async function clockOf({ date, now }: RenderOptions): Promise<((format: string) => string) | null> {
  if (date !== undefined) return () => date
  if (now === undefined) return null
  const { strftime } = await import('../../../../engine/tokenizer/strftime')
  return (format) => strftime(now, format)
}

/** The file as it is: 2.0 is another number than 2 to a template. */
async function readVariables(path: string): Promise<string> {
  const { readText } = await import('../read-text')
  const text = (await readText(path)).replace(/^\uFEFF/, '')
  const chat = parsed(text, path)
  if (typeof chat !== 'object' || chat === null || Array.isArray(chat) || !('messages' in chat) || !Array.isArray(chat.messages)) {
    throw cliError('cli/wrong-shape', { path, expected: 'a JSON object with a list of messages' })
  }
  return text
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw cliError('cli/not-json', { path, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
  }
}

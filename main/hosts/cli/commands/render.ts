// `weightroom render`: the prompt that a chat template makes of a conversation.
import type { Command } from 'commander'
import { cliError } from '../cli-error'
import { trustedCode, trustTokenizerOption } from '../options'
import { writeJson, writeText, type Terminal } from '../terminal'

interface RenderOptions {
  readonly chat: string
  readonly date?: string
  readonly trustTokenizer?: string
  readonly json?: true
}

/** Adds `render` to the program. */
export function registerRender(program: Command, terminal: Terminal): void {
  program
    .command('render <model-or-template>')
    .description("show the prompt that a model's chat template, or a .jinja file, makes of a conversation")
    .requiredOption('--chat <file>', 'JSON: {messages, tools?, add_generation_prompt?, ...}; every key is a variable of the template')
    .option('--date <text>', 'what strftime_now gives, whatever its format')
    .addOption(trustTokenizerOption())
    .option('--json', 'answer with one JSON document: {prompt}')
    .action(async (model: string, options: RenderOptions) => {
      const [{ renderChat }, { modelPath }] = await Promise.all([
        import('../../../../engine/generate/render-chat'),
        import('../model-path'),
      ])
      const { date } = options
      const prompt = await renderChat(await modelPath(model, terminal.signal), await readVariables(options.chat), {
        ...trustedCode(options),
        ...(date !== undefined && { strftimeNow: () => date }),
      })
      if (options.json) writeJson(terminal, { prompt })
      else writeText(terminal, prompt)
    })
}

async function readVariables(path: string): Promise<Readonly<Record<string, unknown>>> {
  const { readJson } = await import('../read-text')
  const chat = await readJson(path)
  if (typeof chat !== 'object' || chat === null || Array.isArray(chat) || !('messages' in chat) || !Array.isArray(chat.messages)) {
    throw cliError('cli/wrong-shape', { path, expected: 'a JSON object with a list of messages' })
  }
  return { ...chat }
}

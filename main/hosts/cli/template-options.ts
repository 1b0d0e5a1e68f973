// Options of `run` that go into the model's chat template, and the note about a template that is not the model's own.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { ChatExtras } from '../../../engine/tokenizer/encode-chat'
import type { ChatTemplate } from '../../../engine/tokenizer/types'
import { cliError } from './cli-error'
import type { Terminal } from './terminal'

/** The options as commander hands them over. */
export interface TemplateOptions {
  readonly templateName?: string
  readonly tools?: string
  readonly documents?: string
  readonly templateVar?: Readonly<Record<string, unknown>>
}

/** Adds the options to a command. */
export function addTemplateOptions(command: Command): Command {
  return command
    .option('--template-name <name>', 'one of several chat templates, such as tool_use or rag; tools choose tool_use by themselves')
    .option('--tools <file>', 'JSON list of tools as schemas, for models that call tools')
    .option('--documents <file>', 'JSON list of documents, {title, text}, for models that answer from them')
    .option(
      '--template-var <name=value>',
      'a variable of the chat template, such as enable_thinking=false or reasoning_effort=high; can be given several times',
      templateVariable,
    )
}

/** `name=value`: the value as JSON where it is some, else as text. */
function templateVariable(text: string, earlier: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const [, name, raw = ''] = /^([A-Za-z_]\w*)=([^]*)$/.exec(text) ?? []
  if (name === undefined) throw new InvalidArgumentError('It must be like enable_thinking=false.')
  return { ...earlier, [name]: jsonOrText(raw) }
}

function jsonOrText(raw: string): unknown {
  try {
    return JSON.parse(raw)
  } catch {
    // A word such as `high` needs no quotes.
    return raw
  }
}

/** What the options add to a prompt. Throws "cli/wrong-shape" and what readJson throws. */
export async function chatExtras(options: TemplateOptions): Promise<ChatExtras> {
  const { tools, documents, templateVar } = options
  return {
    ...(tools !== undefined && { tools: await readList(tools) }),
    ...(documents !== undefined && { documents: await readList(documents) }),
    ...(templateVar && { variables: templateVar }),
  }
}

async function readList(path: string): Promise<readonly unknown[]> {
  const { readJson } = await import('./read-text')
  const value = await readJson(path)
  if (!Array.isArray(value)) throw cliError('cli/wrong-shape', { path, expected: 'a JSON list' })
  const items: readonly unknown[] = value
  return items
}

/** Says on standard error that a known family's template serves, because the model has none. */
export function noteFallback(template: Pick<ChatTemplate, 'source' | 'fallbackFamily'>, { stderr }: Terminal): void {
  if (template.fallbackFamily !== null) stderr.write(`The model has no chat template; ${template.source} is used.\n`)
}

// The chat template of a model: found where Transformers 5.18 looks for it, compiled once, rendered with the model's special tokens.
import { engineError } from '../errors'
import { fallbackTemplate } from './fallback-templates'
import { compileTemplate, type CompiledTemplate } from './jinja/compile'
import { renderTemplate } from './jinja/render'
import type { TemplateVariables } from './jinja/variables'
import { strftime } from './strftime'
import { findTemplates, type FoundTemplates } from './template-files'
import type { ChatTemplate, Tokenizer } from './types'

export interface ChatTemplateOptions {
  /** Text of special tokens that the template may write, `bos_token` and its kind. */
  readonly specialTokens: Readonly<Record<string, string>>
  /** What `strftime_now(format)` gives; the local date by default. */
  readonly strftimeNow?: (format: string) => string
  /** How many steps rendering may take; far more than public templates need by default. */
  readonly maxSteps?: number
}

/** Compiles a template from its text. Throws "template/invalid", "template/limit-exceeded". */
export function createChatTemplate(
  template: { readonly text: string; readonly source: string },
  options: ChatTemplateOptions,
): ChatTemplate {
  const compiled = compileTemplate(template.text, template.source)
  return chatTemplate(
    { choose: () => compiled, source: template.source, fallbackFamily: null, stopStrings: [], names: ['default'] },
    options,
  )
}

export interface LoadTemplateOptions {
  readonly tokenizer: Tokenizer
  readonly strftimeNow?: (format: string) => string
  /** One of several templates by its name; without one, `tool_use` serves conversations with tools and `default` all others. */
  readonly name?: string | undefined
}

/**
 * Loads the template of the model in `directory` (or of a GGUF file), else the one of the family the tokenizer belongs to (`fallbackFamily` says so).
 * Throws "template/invalid", "template/no-default", "template/unknown-name", "template/limit-exceeded", "tokenizer/corrupt-config".
 */
export async function loadChatTemplate(directory: string, options: LoadTemplateOptions): Promise<ChatTemplate> {
  const { tokenizer, name, ...rest } = options
  const renderOptions = { ...rest, specialTokens: tokenizer.specialTokens }
  const found = await findTemplates(directory)
  const choice = found ? chosenFrom(found, name) : fallbackChoice(tokenizer, name)
  return chatTemplate(choice, renderOptions)
}

interface TemplateChoice extends Pick<ChatTemplate, 'source' | 'fallbackFamily' | 'stopStrings' | 'names'> {
  readonly choose: (variables: TemplateVariables) => CompiledTemplate
}

function fallbackChoice(tokenizer: Tokenizer, name: string | undefined): TemplateChoice {
  const { text, family, stopStrings } = fallbackTemplate(tokenizer)
  const source = `the built-in ${family} template`
  if (name !== undefined && name !== 'default') throw engineError('template/unknown-name', { source, name, names: ['default'] })
  const compiled = compileTemplate(text, source)
  return { choose: () => compiled, source, fallbackFamily: family, stopStrings, names: ['default'] }
}

/** Only what can be chosen is compiled: a broken template that nobody asks for hurts nobody. */
function chosenFrom({ source, templates }: FoundTemplates, wanted: string | undefined): TemplateChoice {
  const names = [...templates.keys()]
  const compile = (name: string): CompiledTemplate | null => {
    const text = templates.get(name)
    return text === undefined ? null : compileTemplate(text, name === 'default' ? source : `${source} (${name})`)
  }
  const rest = { source, fallbackFamily: null, stopStrings: [], names }
  if (wanted !== undefined) {
    const named = compile(wanted)
    if (!named) throw engineError('template/unknown-name', { source, name: wanted, names })
    return { ...rest, choose: () => named }
  }
  const general = compile('default')
  const forTools = compile('tool_use')
  if (!general && !forTools) throw engineError('template/no-default', { source, names })
  const choose = (variables: TemplateVariables): CompiledTemplate => {
    const chosen = (hasTools(variables) ? forTools : null) ?? general
    if (!chosen) throw engineError('template/no-default', { source, names })
    return chosen
  }
  return { ...rest, choose }
}

function hasTools(variables: TemplateVariables): boolean {
  const given: unknown = typeof variables === 'string' ? JSON.parse(variables) : variables
  return typeof given === 'object' && given !== null && 'tools' in given && given.tools !== undefined && given.tools !== null
}

function chatTemplate({ choose, ...facts }: TemplateChoice, options: ChatTemplateOptions): ChatTemplate {
  const strftimeNow = options.strftimeNow ?? ((format: string) => strftime(new Date(), format))
  return {
    ...facts,
    render: (given) => {
      const variables = [options.specialTokens, given]
      return renderTemplate(choose(given), { variables, strftimeNow, maxSteps: options.maxSteps })
    },
  }
}

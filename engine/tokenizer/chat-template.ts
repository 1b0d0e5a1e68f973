// The chat template of a model: found where Transformers 5.18 looks for it, compiled once, rendered with the model's special tokens.
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isJsonObject, type JsonValue } from '../bytes/json'
import { openRandomAccessFile } from '../bytes/random-access-file'
import { EngineError, engineError } from '../errors'
import { fallbackTemplate } from './fallback-templates'
import { ggufChatTemplates, isGgufName } from './gguf/chat-templates'
import { compileTemplate, MAX_TEMPLATE_CHARACTERS, type JinjaProgram } from './jinja-compile'
import { renderTemplate } from './jinja-render'
import { strftime } from './strftime'
import { readTokenizerConfig } from './tokenizer-config'
import type { ChatTemplate, Tokenizer } from './types'

/** A template of the basic plane is at most three bytes a character. */
const MAX_TEMPLATE_FILE_BYTES = MAX_TEMPLATE_CHARACTERS * 3

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
  const compiled = { program: compileTemplate(template.text, template.source), source: template.source }
  return chatTemplate({ choose: () => compiled, source: template.source, fallbackFamily: null, stopStrings: [] }, options)
}

/**
 * Loads the template of the model in `directory` (or of a GGUF file): chat_template.jinja and chat_templates/, else `chat_template` of tokenizer_config.json,
 * else the one of the family the tokenizer belongs to (`source` says so). Of several, tool_use serves conversations with tools.
 * Throws "template/invalid", "template/no-default", "template/limit-exceeded", "tokenizer/corrupt-config".
 */
export async function loadChatTemplate(
  directory: string,
  options: { readonly tokenizer: Tokenizer; readonly strftimeNow?: (format: string) => string },
): Promise<ChatTemplate> {
  const { tokenizer, ...rest } = options
  const renderOptions = { ...rest, specialTokens: tokenizer.specialTokens }
  const found = await findTemplates(directory)
  if (!found) {
    const { text, family, stopStrings } = fallbackTemplate(tokenizer)
    const source = `the built-in ${family} template`
    const compiled = { program: compileTemplate(text, source), source }
    return chatTemplate({ choose: () => compiled, source, fallbackFamily: family, stopStrings }, renderOptions)
  }
  const { source, templates } = found
  const compile = (name: string): CompiledTemplate | null => {
    const text = templates.get(name)
    const label = name === 'default' ? source : `${source} (${name})`
    return text === undefined ? null : { program: compileTemplate(text, label), source: label }
  }
  const general = compile('default')
  const forTools = compile('tool_use')
  if (!general && !forTools) throw engineError('template/no-default', { source, names: [...templates.keys()] })
  const choose = (variables: Readonly<Record<string, unknown>>): CompiledTemplate => {
    const hasTools = variables['tools'] !== undefined && variables['tools'] !== null
    const chosen = (hasTools ? forTools : null) ?? general
    if (!chosen) throw engineError('template/no-default', { source, names: [...templates.keys()] })
    return chosen
  }
  return chatTemplate({ choose, source, fallbackFamily: null, stopStrings: [] }, renderOptions)
}

interface CompiledTemplate {
  readonly program: JinjaProgram
  readonly source: string
}

interface TemplateChoice {
  readonly choose: (variables: Readonly<Record<string, unknown>>) => CompiledTemplate
  readonly source: string
  readonly fallbackFamily: string | null
  readonly stopStrings: readonly string[]
}

function chatTemplate({ choose, source, fallbackFamily, stopStrings }: TemplateChoice, options: ChatTemplateOptions): ChatTemplate {
  const strftimeNow = options.strftimeNow ?? ((format: string) => strftime(new Date(), format))
  return {
    source,
    fallbackFamily,
    stopStrings,
    render: (given) => {
      const variables = { ...options.specialTokens, ...given }
      const chosen = choose(variables)
      return renderTemplate(chosen.program, { source: chosen.source, variables, strftimeNow, maxSteps: options.maxSteps })
    },
  }
}

interface FoundTemplates {
  readonly source: string
  readonly templates: ReadonlyMap<string, string>
}

async function findTemplates(directory: string): Promise<FoundTemplates | null> {
  if (isGgufName(directory)) {
    const inside = await ggufChatTemplates(directory)
    return inside.size === 0 ? null : { source: basename(directory), templates: inside }
  }
  const templates = new Map<string, string>()
  const main = await readText(join(directory, 'chat_template.jinja'))
  if (main !== null) templates.set('default', main)
  for (const name of await templateFiles(join(directory, 'chat_templates'))) {
    const text = await readText(join(directory, 'chat_templates', name))
    if (text !== null) templates.set(basename(name, '.jinja'), text)
  }
  if (templates.size > 0) return { source: main === null ? 'chat_templates' : 'chat_template.jinja', templates }
  const config = await readTokenizerConfig(directory)
  const inConfig = templatesOfConfig(config?.chatTemplate, config?.path ?? directory)
  return inConfig.size === 0 ? null : { source: 'tokenizer_config.json', templates: inConfig }
}

/** `chat_template` is a text, or a list of `{name, template}`. */
function templatesOfConfig(value: JsonValue | undefined, path: string): Map<string, string> {
  if (value === undefined || value === null) return new Map()
  if (typeof value === 'string') return new Map([['default', value]])
  const corrupt = () =>
    engineError('tokenizer/corrupt-config', { path, reason: 'chat_template is neither a text nor a list of named templates' })
  const entries: readonly JsonValue[] = Array.isArray(value) ? value : []
  if (entries.length === 0) throw corrupt()
  const templates = new Map<string, string>()
  for (const entry of entries) {
    const name = isJsonObject(entry) ? entry['name'] : undefined
    const text = isJsonObject(entry) ? entry['template'] : undefined
    if (typeof name !== 'string' || typeof text !== 'string') throw corrupt()
    templates.set(name, text)
  }
  return templates
}

async function templateFiles(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.jinja')).sort()
  } catch {
    // Most models have no such folder.
    return []
  }
}

async function readText(path: string): Promise<string | null> {
  try {
    using file = await openRandomAccessFile(path)
    if (file.sizeBytes > MAX_TEMPLATE_FILE_BYTES) {
      throw engineError('bytes/file-too-large', { path, sizeBytes: file.sizeBytes, maxBytes: MAX_TEMPLATE_FILE_BYTES })
    }
    return new TextDecoder('utf-8').decode(await file.read({ offsetBytes: 0, sizeBytes: file.sizeBytes }))
  } catch (error) {
    if (error instanceof EngineError && error.code === 'bytes/not-found') return null
    throw error
  }
}

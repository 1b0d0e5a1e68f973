// renderChat: the prompt text that a model's chat template, or a template file of its own, makes of a conversation.
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileError, openRandomAccessFile } from '../bytes/random-access-file'
import { findModelSource } from '../config/model-source'
import { engineError } from '../errors'
import { createChatTemplate, loadChatTemplate } from '../tokenizer/chat-template'
import { loadTokenizer } from '../tokenizer/load'
import type { TemplateVariables } from '../tokenizer/jinja/variables'
import type { ChatTemplate } from '../tokenizer/types'

/** Templates of public models stay below 100 kB. */
const MAX_TEMPLATE_BYTES = 4 * 1024 * 1024

/** `strftimeNow` replaces the clock of templates that write the date. */
export interface RenderChatOptions {
  readonly strftimeNow?: (format: string) => string
  /** Hashes of custom tokenizer code that may run in the sandbox. */
  readonly trustedCode?: readonly string[]
  /** One of several templates of a model by its name. */
  readonly templateName?: string | undefined
}

/** A prompt and the template that made it. */
export interface RenderedChat {
  readonly prompt: string
  readonly source: string
  /** The family whose template serves because the model has none. */
  readonly fallbackFamily: string | null
}

/**
 * Renders `variables` (`messages`, and `tools`, `add_generation_prompt`, ... as the template needs them) with the template of a model directory, whose special
 * tokens it knows, or with a template file, which knows only what `variables` hold. They may be a JSON text, which keeps 1.0 apart from 1.
 * Throws "bytes/not-found", "bytes/file-too-large", the codes of loadTokenizer and loadChatTemplate, "template/raised", "template/failed", "template/limit-exceeded".
 */
export async function renderChat(path: string, variables: TemplateVariables, options: RenderChatOptions = {}): Promise<string> {
  return (await renderChatWith(path, variables, options)).prompt
}

/** renderChat, which also says what template it took. */
export async function renderChatWith(path: string, variables: TemplateVariables, options: RenderChatOptions = {}): Promise<RenderedChat> {
  const isModel = (await isDirectory(path)) || /\.(gguf|onnx)$/i.test(path)
  const template = isModel ? await ofModel(path, options) : await ofFile(path, options)
  return { prompt: template.render(variables), source: template.source, fallbackFamily: template.fallbackFamily }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    throw fileError(path, cause)
  }
}

async function ofModel(path: string, { templateName, trustedCode, ...options }: RenderChatOptions): Promise<ChatTemplate> {
  const source = await findModelSource(path)
  // A GGUF file brings its own tokenizer and template.
  const directory = source.kind === 'gguf' ? source.path : source.directory
  const tokenizer = await loadTokenizer(directory, { ...(trustedCode && { trustedCode }) })
  try {
    return await loadChatTemplate(directory, { ...options, name: templateName, tokenizer })
  } finally {
    // The template is found and compiled; it needs no more than the special tokens' texts.
    tokenizer[Symbol.dispose]?.()
  }
}

async function ofFile(path: string, { templateName, ...options }: RenderChatOptions): Promise<ChatTemplate> {
  const source = basename(path)
  if (templateName !== undefined) throw engineError('template/unknown-name', { source, name: templateName, names: ['default'] })
  using file = await openRandomAccessFile(path)
  const { sizeBytes } = file
  if (sizeBytes > MAX_TEMPLATE_BYTES) throw engineError('bytes/file-too-large', { path, sizeBytes, maxBytes: MAX_TEMPLATE_BYTES })
  const text = new TextDecoder().decode(await file.read({ offsetBytes: 0, sizeBytes }))
  return createChatTemplate({ text, source }, { ...options, specialTokens: {} })
}

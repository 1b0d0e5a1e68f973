// renderChat: the prompt text that a model's chat template, or a template file of its own, makes of a conversation.
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileError, openRandomAccessFile } from '../bytes/random-access-file'
import { findModelSource } from '../config/model-source'
import { engineError } from '../errors'
import { createChatTemplate, loadChatTemplate } from '../tokenizer/chat-template'
import { loadTokenizer } from '../tokenizer/load'
import type { ChatTemplate } from '../tokenizer/types'

/** Templates of public models stay below 100 kB. */
const MAX_TEMPLATE_BYTES = 4 * 1024 * 1024

/** `strftimeNow` replaces the clock of templates that write the date. */
export interface RenderChatOptions {
  readonly strftimeNow?: (format: string) => string
  /** Hashes of custom tokenizer code that may run in the sandbox. */
  readonly trustedCode?: readonly string[]
}

/**
 * Renders `variables` (`messages`, and `tools`, `add_generation_prompt`, ... as the template needs them) with the template of a model directory, whose special
 * tokens it knows, or with a template file, which knows only what `variables` hold.
 * Throws "bytes/not-found", "bytes/file-too-large", the codes of loadTokenizer and loadChatTemplate, "template/raised", "template/failed", "template/limit-exceeded".
 */
export async function renderChat(
  path: string,
  variables: Readonly<Record<string, unknown>>,
  options: RenderChatOptions = {},
): Promise<string> {
  const isModel = (await isDirectory(path)) || /\.(gguf|onnx)$/i.test(path)
  const template = isModel ? await ofModel(path, options) : await ofFile(path, options)
  return template.render(variables)
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    throw fileError(path, cause)
  }
}

async function ofModel(path: string, options: RenderChatOptions): Promise<ChatTemplate> {
  const source = await findModelSource(path)
  // A GGUF file brings its own tokenizer and template.
  const directory = source.kind === 'gguf' ? source.path : source.directory
  const tokenizer = await loadTokenizer(directory, options)
  // The template needs to know the special tokens only.
  tokenizer[Symbol.dispose]?.()
  return loadChatTemplate(directory, { ...options, tokenizer })
}

async function ofFile(path: string, options: RenderChatOptions): Promise<ChatTemplate> {
  using file = await openRandomAccessFile(path)
  const { sizeBytes } = file
  if (sizeBytes > MAX_TEMPLATE_BYTES) throw engineError('bytes/file-too-large', { path, sizeBytes, maxBytes: MAX_TEMPLATE_BYTES })
  const text = new TextDecoder().decode(await file.read({ offsetBytes: 0, sizeBytes }))
  return createChatTemplate({ text, source: basename(path) }, { ...options, specialTokens: {} })
}

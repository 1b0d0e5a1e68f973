// Where a model keeps its chat templates. Follows Transformers 5.18 (tokenization_utils_base.py, processing_utils.py, utils/hub.py).
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isJsonObject, type JsonValue, MAX_CONFIG_JSON_BYTES, readOptionalJsonFile } from '../bytes/json'
import { openRandomAccessFile } from '../bytes/random-access-file'
import { EngineError, engineError } from '../errors'
import { ggufChatTemplates, isGgufName } from './gguf/chat-templates'
import { MAX_TEMPLATE_CHARACTERS } from './jinja/compile'
import { readTokenizerConfig } from './tokenizer-config'

/** A template of the basic plane is at most three bytes a character. */
const MAX_TEMPLATE_FILE_BYTES = MAX_TEMPLATE_CHARACTERS * 3
/** Public models have at most three. */
const MAX_TEMPLATE_FILES = 64

/** Templates by name, `default` among them as a rule, and the file they come from. */
export interface FoundTemplates {
  readonly source: string
  readonly templates: ReadonlyMap<string, string>
}

/**
 * Finds the templates of the model in `directory`, or in a GGUF file: chat_template.jinja and additional_chat_templates/ if there are any, else `chat_template` of
 * tokenizer_config.json, else chat_template.json, which only processors of images and sound read. Null where there are none.
 * Throws "tokenizer/corrupt-config", "bytes/file-too-large", "template/limit-exceeded".
 */
export async function findTemplates(directory: string): Promise<FoundTemplates | null> {
  if (isGgufName(directory)) {
    const inside = await ggufChatTemplates(directory)
    return inside.size === 0 ? null : { source: basename(directory), templates: inside }
  }
  return (await ofFiles(directory)) ?? (await ofTokenizerConfig(directory)) ?? (await ofProcessor(directory))
}

/** The folder's name of today, and the one it had at first. */
const FOLDERS = ['additional_chat_templates', 'chat_templates'] as const

async function ofFiles(directory: string): Promise<FoundTemplates | null> {
  const templates = new Map<string, string>()
  const main = await readText(join(directory, 'chat_template.jinja'))
  if (main !== null) templates.set('default', main)
  const sources = main === null ? [] : ['chat_template.jinja']
  for (const folder of FOLDERS) {
    const names = await templateNames(join(directory, folder))
    if (names.length === 0) continue
    for (const name of names) {
      const text = await readText(join(directory, folder, name))
      if (text !== null) templates.set(basename(name, '.jinja'), text)
    }
    sources.push(folder)
    break
  }
  return templates.size === 0 ? null : { source: sources[0] ?? directory, templates }
}

async function templateNames(folder: string): Promise<string[]> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch {
    // Most models have no such folder.
    return []
  }
  const found = names.filter((name) => name.endsWith('.jinja')).sort()
  if (found.length > MAX_TEMPLATE_FILES) {
    throw engineError('template/limit-exceeded', { source: folder, what: 'the number of its templates', max: MAX_TEMPLATE_FILES })
  }
  return found
}

async function ofTokenizerConfig(directory: string): Promise<FoundTemplates | null> {
  const config = await readTokenizerConfig(directory)
  const templates = namedTemplates(config?.chatTemplate, config?.path ?? directory)
  return templates.size === 0 ? null : { source: 'tokenizer_config.json', templates }
}

async function ofProcessor(directory: string): Promise<FoundTemplates | null> {
  const path = join(directory, 'chat_template.json')
  const value = await readOptionalJsonFile(path, { maxBytes: MAX_CONFIG_JSON_BYTES })
  const templates = namedTemplates(isJsonObject(value) ? value['chat_template'] : undefined, path)
  return templates.size === 0 ? null : { source: 'chat_template.json', templates }
}

/** `chat_template` is a text, or a list of `{name, template}`. */
function namedTemplates(value: JsonValue | undefined, path: string): Map<string, string> {
  if (value === undefined || value === null) return new Map()
  if (typeof value === 'string') return new Map([['default', value]])
  const corrupt = () =>
    engineError('tokenizer/corrupt-config', { path, reason: 'chat_template is neither a text nor a list of named templates' })
  const entries: readonly JsonValue[] = Array.isArray(value) ? value : []
  if (entries.length === 0 || entries.length > MAX_TEMPLATE_FILES) throw corrupt()
  const templates = new Map<string, string>()
  for (const entry of entries) {
    const name = isJsonObject(entry) ? entry['name'] : undefined
    const text = isJsonObject(entry) ? entry['template'] : undefined
    if (typeof name !== 'string' || typeof text !== 'string') throw corrupt()
    templates.set(name, text)
  }
  return templates
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

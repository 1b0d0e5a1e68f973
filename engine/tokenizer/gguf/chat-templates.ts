// The chat templates inside a GGUF file: `tokenizer.chat_template`, and named ones behind it. Follows gguf-py (gguf_writer.py, add_chat_template) 0.19.
import { readGgufHeader } from '../../checkpoint/gguf/header'

const KEY = 'tokenizer.chat_template'

/** Whether a path names a GGUF file by its ending. */
export function isGgufName(path: string): boolean {
  return path.toLowerCase().endsWith('.gguf')
}

/** Templates of the GGUF file at `path` by name; the unnamed one is `default`. Throws what readGgufHeader throws. */
export async function ggufChatTemplates(path: string): Promise<ReadonlyMap<string, string>> {
  const templates = new Map<string, string>()
  for (const [key, value] of (await readGgufHeader(path)).metadata) {
    if (value.type !== 'string') continue
    if (key === KEY) templates.set('default', value.value)
    else if (key.startsWith(`${KEY}.`)) templates.set(key.slice(KEY.length + 1), value.value)
  }
  return templates
}

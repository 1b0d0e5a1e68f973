// The Python files of a model's own tokenizer: which they are, and the hash that a consent is given to. Follows `auto_map` and relative imports as Transformers 5.18 resolves them (dynamic_module_utils.py). Nothing is run here.
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isJsonObject, type JsonValue } from '../../bytes/json'
import { openRandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'

/** Public tokenizers have up to 60 kB of source. */
const MAX_SOURCE_BYTES = 1024 * 1024
/** Public ones have one file, or two. */
const MAX_SOURCES = 16

/** One Python file. `sha256` in lower-case hexadecimal. */
interface CustomSource {
  readonly name: string
  readonly text: string
  readonly sha256: string
}

/** A tokenizer written in Python. `hash` stands for all of it: the class and the content of every file. */
export interface CustomCode {
  readonly directory: string
  /** `module.Class`. */
  readonly className: string
  readonly sources: readonly CustomSource[]
  readonly hash: string
}

/** The class that `auto_map` names for AutoTokenizer, `module.Class`, or null. The slow one is the one with a Python file to run. */
export function customClassOf(tokenizerConfig: JsonValue | undefined): string | null {
  if (!isJsonObject(tokenizerConfig)) return null
  const map = tokenizerConfig['auto_map']
  const named = isJsonObject(map) ? map['AutoTokenizer'] : map
  const entries: readonly (JsonValue | undefined)[] = Array.isArray(named) ? named : [named]
  const [slow] = entries
  // "repository--module.Class" means another repository's code; that is never fetched.
  return typeof slow === 'string' && /^[A-Za-z_]\w*\.[A-Za-z_]\w*$/.test(slow) ? slow : null
}

/**
 * Reads the files that `className` of `directory` consists of: its module and what that imports relatively, from the same folder.
 * Throws "tokenizer/custom-code-missing", "tokenizer/limit-exceeded", "bytes/file-too-large".
 */
export async function readCustomCode(directory: string, className: string): Promise<CustomCode> {
  const present = new Set(await readdir(directory))
  const found = new Map<string, CustomSource>()
  const wanted = [className.slice(0, className.indexOf('.'))]
  for (let module = wanted.pop(); module !== undefined; module = wanted.pop()) {
    const name = `${module}.py`
    if (found.has(name)) continue
    if (!present.has(name)) throw engineError('tokenizer/custom-code-missing', { directory, file: name })
    if (found.size >= MAX_SOURCES) {
      throw engineError('tokenizer/limit-exceeded', {
        path: directory,
        what: 'the number of Python files',
        found: found.size + 1,
        max: MAX_SOURCES,
      })
    }
    const source = await readSource(directory, name)
    found.set(name, source)
    wanted.push(...relativeImports(source.text))
  }
  const sources = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  const list = [className, ...sources.map(({ name, sha256 }) => `${sha256}  ${name}`)].join('\n')
  return { directory, className, sources, hash: createHash('sha256').update(list).digest('hex') }
}

async function readSource(directory: string, name: string): Promise<CustomSource> {
  const path = join(directory, name)
  using file = await openRandomAccessFile(path)
  const { sizeBytes } = file
  if (sizeBytes > MAX_SOURCE_BYTES) throw engineError('bytes/file-too-large', { path, sizeBytes, maxBytes: MAX_SOURCE_BYTES })
  const bytes = await file.read({ offsetBytes: 0, sizeBytes })
  return { name, text: new TextDecoder().decode(bytes), sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Modules of the same folder that a file imports: `from .name import ...` and `from . import name`. */
function relativeImports(source: string): string[] {
  const names = new Set<string>()
  for (const [, name] of source.matchAll(/^\s*from\s+\.([A-Za-z_]\w*)\s+import\b/gm)) names.add(name ?? '')
  for (const [, list] of source.matchAll(/^\s*from\s+\.\s+import\s+\(?([\w ,]+)/gm)) {
    for (const name of (list ?? '').split(',')) names.add(name.trim().split(/\s/)[0] ?? '')
  }
  names.delete('')
  return [...names]
}

// Opens what TensorFlow writes: a bundle by its .index or a data file, a Saver directory with its `checkpoint` file, a SavedModel.
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileError, openRandomAccessFile } from '../../bytes/random-access-file'
import { engineError } from '../../errors'
import type { Checkpoint } from '../types'
import { openBundle } from './bundle'
import { note } from '../../notes'

interface OpenOptions {
  readonly signal?: AbortSignal
}

/** The `checkpoint` file lists a few paths; max_to_keep is rarely above a thousand. */
const MAX_STATE_BYTES = 1024 * 1024

const SAVED_MODEL = 'saved_model.pb'

function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)
}

/** Undoes the escapes of a protobuf text string; octal escapes are bytes of UTF-8. */
function unescapeText(text: string): string {
  const simple: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9 }
  const bytes: number[] = []
  for (const [, octal, escaped, plain] of text.matchAll(/\\([0-7]{1,3})|\\([^])|([^\\]+)/g)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff)
    else if (escaped !== undefined) bytes.push(simple[escaped] ?? escaped.charCodeAt(0))
    else bytes.push(...new TextEncoder().encode(plain))
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}

/** The name of the latest checkpoint in a Saver directory. Paths of the machine that wrote it are cut to their last part; anything else with a folder in it is refused. */
async function latestPrefix(statePath: string, signal?: AbortSignal): Promise<string> {
  using file = await openRandomAccessFile(statePath)
  if (file.sizeBytes > MAX_STATE_BYTES)
    throw engineError('bytes/file-too-large', { path: statePath, sizeBytes: file.sizeBytes, maxBytes: MAX_STATE_BYTES })
  const text = new TextDecoder().decode(await file.read({ offsetBytes: 0, sizeBytes: file.sizeBytes, ...(signal && { signal }) }))
  const match = /^\s*model_checkpoint_path\s*:\s*(?:"((?:[^"\\\n]|\\[^\n])*)"|'((?:[^'\\\n]|\\[^\n])*)')/m.exec(text)
  const reference = match && unescapeText(match[1] ?? match[2] ?? '')
  if (reference === null)
    throw engineError('checkpoint/tensorflow-malformed', { path: statePath, reason: 'it names no model_checkpoint_path' })
  const absolute = /^(\/|[A-Za-z]:[\\/])/.test(reference)
  const segments = reference.split(/[/\\]/)
  const name = absolute ? (segments.at(-1) ?? '') : reference.replace(/^\.\//, '')
  if (!isPlainName(name) || segments.includes('..')) throw engineError('checkpoint/unsafe-reference', { path: statePath, reference })
  return name
}

async function openDirectory(directory: string, options: OpenOptions): Promise<Checkpoint> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw fileError(directory, cause)
  })
  if (names.includes(SAVED_MODEL)) return openSavedModel(directory, options)
  const indexes = names.filter((name) => name.endsWith('.index')).sort()
  if (names.includes('checkpoint')) {
    const prefix = await latestPrefix(join(directory, 'checkpoint'), options.signal)
    const index = `${prefix}.index`
    if (!names.includes(index)) throw engineError('checkpoint/missing-shard', { shard: index, directory })
    const others = indexes.length - 1
    const notes = others > 0 ? [note('checkpoint/latest-opened', { name: prefix, count: others })] : []
    return openBundle(join(directory, index), { format: 'tensorflow-checkpoint', notes, ...options })
  }
  const [only] = indexes
  if (only === undefined) throw engineError('checkpoint/no-weights', { directory })
  if (indexes.length > 1) throw engineError('checkpoint/ambiguous-weights', { directory, files: indexes })
  return openBundle(join(directory, only), { format: 'tensorflow-checkpoint', notes: [], ...options })
}

async function openSavedModel(directory: string, options: OpenOptions): Promise<Checkpoint> {
  return openBundle(join(directory, 'variables', 'variables.index'), { format: 'tensorflow-saved-model', notes: [], ...options })
}

/**
 * Opens a TensorFlow checkpoint: an .index file, one of its data files, a `checkpoint` file, saved_model.pb, or a folder with one of these.
 * Throws "checkpoint/unsafe-reference" where `checkpoint` points out of its folder, "checkpoint/missing-shard", "checkpoint/ambiguous-weights" and what openBundle throws.
 */
export async function openTensorflow(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw fileError(path, cause)
  })
  if (stats.isDirectory()) return openDirectory(path, options)
  const name = basename(path)
  if (name === SAVED_MODEL) return openSavedModel(dirname(path), options)
  if (name === 'checkpoint') return openDirectory(dirname(path), options)
  const index = join(dirname(path), `${name.replace(/\.(index|data-\d{5}-of-\d{5})$/, '')}.index`)
  return openBundle(index, { format: 'tensorflow-checkpoint', notes: [], ...options })
}

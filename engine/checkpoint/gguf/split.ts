// Split GGUF files (`name-00001-of-00003.gguf`): which files belong together. Follows llama.cpp (gguf-split) and gguf-py: split.no, split.count, split.tensors.count.
import { basename, dirname, join } from 'node:path'
import { EngineError, engineError } from '../../errors'
import { ggufInteger, readGgufHeader, type GgufHeader } from './header'
import { note, type Note } from '../../notes'

const PART_NAME = /^(.*)-(\d{5})-of-(\d{5})(\.gguf)$/i

/** The largest public models have some tens of parts; the count names files to look for before any is read. */
const MAX_PARTS = 1024

/** Headers of all parts in order, and remarks. */
export interface GgufParts {
  readonly headers: readonly GgufHeader[]
  readonly notes: readonly Note[]
}

async function readPart(directory: string, name: string, signal: AbortSignal | undefined): Promise<GgufHeader> {
  try {
    return await readGgufHeader(join(directory, name), signal ? { signal } : {})
  } catch (cause) {
    if (cause instanceof EngineError && cause.code === 'bytes/not-found')
      throw engineError('checkpoint/gguf-missing-part', { part: name, directory }, cause)
    throw cause
  }
}

/** Every part says which one it is and of how many; one that says otherwise belongs to another set. */
function checkParts(headers: readonly GgufHeader[], path: string): void {
  const malformed = (reason: string) => engineError('checkpoint/gguf-inconsistent-split', { path, reason })
  for (const [index, { metadata, path: part }] of headers.entries()) {
    const count = ggufInteger(metadata, 'split.count')
    const number = ggufInteger(metadata, 'split.no')
    if (count !== null && count !== headers.length)
      throw malformed(`${basename(part)} says that there are ${count} parts, the file names say ${headers.length}`)
    if (number !== null && number !== index)
      throw malformed(`${basename(part)} says that it is part ${number + 1}, its name says ${index + 1}`)
  }
  const total = headers.reduce((sum, header) => sum + header.tensors.length, 0)
  for (const { metadata, path: part } of headers) {
    const stated = ggufInteger(metadata, 'split.tensors.count')
    if (stated !== null && stated !== total)
      throw malformed(`${basename(part)} says that all parts hold ${stated} tensors, they hold ${total}`)
  }
}

/**
 * Reads the headers of the file at `path` and of every other part of its set.
 * Throws "checkpoint/gguf-missing-part", "checkpoint/gguf-inconsistent-split", "checkpoint/gguf-too-many" and what readGgufHeader throws.
 */
export async function readGgufParts(path: string, options: { readonly signal?: AbortSignal }): Promise<GgufParts> {
  const { signal } = options
  const header = await readGgufHeader(path, options)
  const stated = ggufInteger(header.metadata, 'split.count') ?? 1
  const [, stem = '', number = '', total = '', extension = ''] = PART_NAME.exec(basename(path)) ?? []
  const count = Number(total)
  if (total === '' || count <= 1) {
    const notes = stated > 1 ? [note('checkpoint/one-part-of-several', { count: stated })] : []
    return { headers: [header], notes }
  }
  if (count > MAX_PARTS) throw engineError('checkpoint/gguf-too-many', { path, what: 'parts', found: String(count), max: MAX_PARTS })
  if (Number(number) < 1 || Number(number) > count)
    throw engineError('checkpoint/gguf-inconsistent-split', { path, reason: `there is no part ${Number(number)} of ${count}` })
  const headers: GgufHeader[] = []
  for (let part = 1; part <= count; part++) {
    const name = `${stem}-${String(part).padStart(5, '0')}-of-${total}${extension}`
    headers.push(part === Number(number) ? header : await readPart(dirname(path), name, signal))
  }
  checkParts(headers, path)
  return { headers, notes: [] }
}

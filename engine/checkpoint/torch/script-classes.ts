// What the code of a TorchScript archive says of its modules: which attributes are parameters and buffers. The code is read as text and never run.
// Follows torch/csrc/jit/serialization/python_print.cpp of PyTorch 2.13.
import type { RandomAccessFile } from '../../bytes/random-access-file'
import type { ZipEntry } from '../../bytes/zip'
import { readZipEntry } from '../../bytes/zip-entry'

/** The code of a large model has a few megabytes. What lies beyond is not read, and its modules' tensors are all taken. */
const MAX_CODE_BYTES = 32 * 1024 * 1024

/** Names of parameters and buffers by the module's full class name. */
export type ScriptClasses = ReadonlyMap<string, ReadonlySet<string>>

const MODULE = /^class ([A-Za-z_]\w*)\(Module\):\n {2}__parameters__ = \[(.*)\]\n {2}__buffers__ = \[(.*)\]$/gm

function addModules(classes: Map<string, ReadonlySet<string>>, module: string, code: string): void {
  for (const [, name = '', parameters = '', buffers = ''] of code.matchAll(MODULE)) {
    const listed = [...`${parameters}${buffers}`.matchAll(/"([^"\\]*)"/g)].map(([, attribute = '']) => attribute)
    classes.set(`${module}.${name}`, new Set(listed))
  }
}

/** Reads the code of an archive. Throws "bytes/zip-..." for entries that cannot be read. */
export async function readScriptClasses(archive: {
  readonly file: RandomAccessFile
  readonly entries: ReadonlyMap<string, ZipEntry>
  readonly folder: string
  readonly signal: AbortSignal | undefined
}): Promise<ScriptClasses> {
  const { file, entries, folder, signal } = archive
  const classes = new Map<string, ReadonlySet<string>>()
  const prefix = `${folder}code/`
  let leftBytes = MAX_CODE_BYTES
  for (const [name, entry] of entries) {
    if (!name.startsWith(prefix) || !name.endsWith('.py') || entry.sizeBytes > leftBytes) continue
    leftBytes -= entry.sizeBytes
    const bytes = await readZipEntry({ file, entry }, { maxBytes: MAX_CODE_BYTES, checksum: 'ignored', ...(signal && { signal }) })
    addModules(classes, name.slice(prefix.length, -'.py'.length).replaceAll('/', '.'), Buffer.from(bytes).toString('utf8'))
  }
  return classes
}

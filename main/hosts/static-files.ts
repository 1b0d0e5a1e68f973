// The built renderer as a closed set of files: only what lies in the folder, by its own name, with a known type.
import { realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
}

/** A file that may be sent. */
export interface StaticFile {
  readonly path: string
  readonly sizeBytes: number
  readonly contentType: string
  /** True for files whose name holds a hash of their content. */
  readonly immutable: boolean
}

/** The file that a request path means, or null: unknown type, not a regular file, or outside `folder` by dots or by a link. `/` is index.html. */
export async function findStaticFile(folder: string, requestPath: string): Promise<StaticFile | null> {
  const names = safeNames(requestPath === '/' ? '/index.html' : requestPath)
  const contentType = names === null ? undefined : CONTENT_TYPES[extname(names.at(-1) ?? '')]
  if (names === null || contentType === undefined) return null
  try {
    const root = await realpath(folder)
    const path = await realpath(join(root, ...names))
    if (!path.startsWith(root + sep)) return null
    const found = await stat(path)
    if (!found.isFile()) return null
    return { path, sizeBytes: found.size, contentType, immutable: names[0] === 'assets' }
  } catch {
    return null
  }
}

/** Decoded path parts, or null when any of them could mean something else to a file system. */
function safeNames(requestPath: string): readonly string[] | null {
  let decoded: string
  try {
    decoded = decodeURIComponent(requestPath)
  } catch {
    return null
  }
  if (/[\0\\:]/.test(decoded) || !decoded.startsWith('/')) return null
  const names = decoded.slice(1).split('/')
  return names.some((name) => name === '' || name.startsWith('.')) ? null : names
}

// Finds out what was dropped on the window, and where it lies if anyone tells.

/** The parts of a DataTransfer that are read. */
export interface DroppedData {
  readonly types: readonly string[]
  readonly files: ArrayLike<File>
  readonly getData: (type: string) => string
}

/** 'path' = known; 'name' = something was dropped, but the browser hides where it lies; 'nothing' = no file at all. */
export type Dropped =
  { readonly kind: 'path'; readonly path: string } | { readonly kind: 'name'; readonly name: string } | { readonly kind: 'nothing' }

/** True while files, and not text of the page itself, are dragged. */
export function carriesFiles(types: readonly string[]): boolean {
  return types.includes('Files') || types.includes('text/uri-list')
}

/** Reads the first dropped file or folder. `pathForFile` gives '' where the host cannot know. */
export function readDropped(data: DroppedData, pathForFile: (file: File) => string): Dropped {
  const file = data.files[0]
  const path = (file === undefined ? '' : pathForFile(file)) || firstFilePath(data.getData('text/uri-list'))
  if (path !== '') return { kind: 'path', path }
  return file === undefined ? { kind: 'nothing' } : { kind: 'name', name: file.name }
}

/** Path of the first local `file:` address of a text/uri-list (RFC 2483), or ''. */
export function firstFilePath(uriList: string): string {
  for (const line of uriList.split(/\r?\n/)) {
    if (line.startsWith('#') || !URL.canParse(line)) continue
    const address = new URL(line)
    if (address.protocol !== 'file:' || (address.host !== '' && address.host !== 'localhost')) continue
    const path = decodePath(address.pathname)
    return /^\/[a-zA-Z]:\//.test(path) ? path.slice(1) : path
  }
  return ''
}

function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return pathname
  }
}

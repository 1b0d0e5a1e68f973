// The files behind a drop, folders walked through, with names that say where in the folder they lie.

/** A file and its name: its path below what was dropped, parts divided by /. */
export interface NamedFile {
  readonly name: string
  readonly file: File
}

/** A model's folder has tens of files; beyond this something else was dropped. */
const MAX_DROPPED_FILES = 2_000
const MAX_DEPTH = 6

/** Takes the entries out of a drop; they are only there while the event is handled. */
export function droppedEntries(data: DataTransfer): readonly FileSystemEntry[] {
  return [...data.items].flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null
    return entry === null ? [] : [entry]
  })
}

/** All files below the entries, hidden ones left out. */
export async function filesOf(entries: readonly FileSystemEntry[]): Promise<readonly NamedFile[]> {
  const found: NamedFile[] = []
  for (const entry of entries) await walk(entry, { prefix: '', depth: 0, found })
  return found
}

/** Chosen files, as an input of the page gives them. */
export function chosenFiles(list: FileList | null): readonly NamedFile[] {
  return [...(list ?? [])].map((file) => ({ name: file.webkitRelativePath || file.name, file }))
}

async function walk(
  entry: FileSystemEntry,
  at: { readonly prefix: string; readonly depth: number; readonly found: NamedFile[] },
): Promise<void> {
  if (at.found.length >= MAX_DROPPED_FILES || (entry.name.startsWith('.') && at.depth > 0)) return
  const name = `${at.prefix}${entry.name}`
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject))
    at.found.push({ name, file })
  } else if (isFolder(entry) && at.depth < MAX_DEPTH) {
    const reader = entry.createReader()
    for (;;) {
      // A reader gives some entries at a time, and none when it is through.
      const some = await new Promise<readonly FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
      if (some.length === 0) return
      for (const inner of some) await walk(inner, { prefix: `${name}/`, depth: at.depth + 1, found: at.found })
    }
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile && 'file' in entry
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory && 'createReader' in entry
}

// Files that a browser sends because it hides where they lie: taken in order into a folder of their own, removed when they are not wanted any more.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join, parse, sep } from 'node:path'
import type { Upload } from '../../preload/contract'
import type { Log } from '../host'
import { contractErrorOf, reasonOf, serviceError } from '../service-error'
import { checkFileNames } from './file-names'

/** More than any model of today: whoever announces more has made a mistake. */
const MAX_UPLOAD_BYTES = 2 ** 42
/** A window sends one upload at a time; each holds a file open. */
const MAX_UPLOADS = 16
/** What stays free on the disk: a full one stops chats from being saved. */
const RESERVED_BYTES = 256 * 1024 * 1024
/** Loose files that were sent together lie in a folder of this name. */
const LOOSE_FOLDER = 'files'

/** Takes uploads. `asyncDispose` closes what is open and removes nothing. */
export interface UploadsService extends AsyncDisposable {
  /** Throws "uploads/bad-name", "uploads/too-large", "uploads/too-many", "uploads/disk-full", "uploads/write-failed". */
  readonly begin: (files: readonly { readonly name: string; readonly sizeBytes: number }[]) => Promise<Upload>
  /** Throws "uploads/not-found", "uploads/out-of-order", "uploads/too-long", "uploads/write-failed". */
  readonly write: (part: {
    readonly uploadId: string
    readonly file: number
    readonly offsetBytes: number
    readonly data: string
  }) => Promise<{ readonly receivedBytes: number }>
  /** Throws "uploads/not-found", "uploads/incomplete". */
  readonly finish: (uploadId: string) => Promise<Upload>
  /** What a conversion needs stays until the next start. */
  readonly discard: (uploadId: string) => Promise<void>
  /** Moves a complete upload to `modelsFolder`. Throws "uploads/not-found", "uploads/incomplete", "uploads/in-use", "uploads/write-failed". */
  readonly keep: (uploadId: string) => Promise<{ readonly path: string }>
}

interface IncomingFile {
  readonly path: string
  readonly name: string
  readonly sizeBytes: number
  receivedBytes: number
  handle: FileHandle | null
}

interface Incoming {
  readonly folder: string
  readonly path: string
  readonly files: readonly IncomingFile[]
  /** Bytes are written one part after the other, in the order in which they came. */
  last: Promise<unknown>
}

/** Opens the upload area and removes what an earlier run left there, but for what `isNeeded`. */
export async function createUploadsService(options: {
  readonly folder: string
  readonly modelsFolder: string
  readonly isNeeded: (folder: string) => boolean
  readonly log: Log
}): Promise<UploadsService> {
  const { folder, modelsFolder, isNeeded, log } = options
  const incoming = new Map<string, Incoming>()
  await removeLeftovers({ folder, isNeeded, log })

  function find(uploadId: string): Incoming {
    const upload = incoming.get(uploadId)
    if (upload === undefined) throw serviceError('uploads/not-found', { uploadId })
    return upload
  }

  /** Runs `act` after everything that was asked of the upload before. */
  async function inTurn<T>(upload: Incoming, act: () => Promise<T>): Promise<T> {
    const turn = upload.last.then(act)
    upload.last = turn.catch(() => undefined)
    return await turn
  }

  async function begin(files: Parameters<UploadsService['begin']>[0]): Promise<Upload> {
    const names = checkFileNames(files.map(({ name }) => name))
    const neededBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    if (neededBytes > MAX_UPLOAD_BYTES) throw serviceError('uploads/too-large', { sizeBytes: neededBytes, limitBytes: MAX_UPLOAD_BYTES })
    if (incoming.size >= MAX_UPLOADS) throw serviceError('uploads/too-many', { limit: MAX_UPLOADS })
    const uploadId = randomUUID()
    const own = join(folder, uploadId)
    try {
      await mkdir(own, { recursive: true })
      const { bavail, bsize } = await statfs(own)
      const freeBytes = bavail * bsize
      if (neededBytes + RESERVED_BYTES > freeBytes) {
        await rm(own, { recursive: true, force: true })
        throw serviceError('uploads/disk-full', { path: folder, neededBytes: neededBytes + RESERVED_BYTES, freeBytes })
      }
    } catch (failure) {
      throw asWriteFailure(own, failure)
    }
    const { path, places } = layOut(own, names)
    incoming.set(uploadId, {
      folder: own,
      path,
      files: files.map(({ name, sizeBytes }, index) => ({ path: places[index] ?? '', name, sizeBytes, receivedBytes: 0, handle: null })),
      last: Promise.resolve(),
    })
    return { uploadId, path }
  }

  async function write({
    uploadId,
    file: index,
    offsetBytes,
    data,
  }: Parameters<UploadsService['write']>[0]): Promise<{ receivedBytes: number }> {
    const upload = find(uploadId)
    return await inTurn(upload, async () => {
      const file = upload.files[index]
      if (file === undefined || !incoming.has(uploadId)) throw serviceError('uploads/not-found', { uploadId })
      const { name, sizeBytes } = file
      if (offsetBytes !== file.receivedBytes)
        throw serviceError('uploads/out-of-order', { name, expectedBytes: file.receivedBytes, offsetBytes })
      const bytes = Buffer.from(data, 'base64')
      if (offsetBytes + bytes.length > sizeBytes) throw serviceError('uploads/too-long', { name, sizeBytes })
      await append(file, bytes)
      return { receivedBytes: file.receivedBytes }
    })
  }

  async function checkComplete(upload: Incoming): Promise<void> {
    for (const file of upload.files) {
      const { name, receivedBytes, sizeBytes } = file
      if (receivedBytes !== sizeBytes) throw serviceError('uploads/incomplete', { name, receivedBytes, sizeBytes })
      // An empty file was never written to.
      if (sizeBytes === 0) await append(file, Buffer.alloc(0))
    }
  }

  async function keep(uploadId: string): Promise<{ readonly path: string }> {
    const upload = find(uploadId)
    return await inTurn(upload, async () => {
      await checkComplete(upload)
      if (isNeeded(upload.folder)) throw serviceError('uploads/in-use', { path: upload.path })
      try {
        const isFile = (await stat(upload.path)).isFile()
        const name = isFile ? parse(upload.path).name : basename(upload.path)
        const place = await freeName(modelsFolder, name)
        await mkdir(isFile ? place : modelsFolder, { recursive: true })
        const target = isFile ? join(place, basename(upload.path)) : place
        await rename(upload.path, target)
        incoming.delete(uploadId)
        await rm(upload.folder, { recursive: true, force: true })
        return { path: target }
      } catch (failure) {
        throw asWriteFailure(modelsFolder, failure)
      }
    })
  }

  return {
    begin,
    write,
    finish: async (uploadId) => {
      const upload = find(uploadId)
      return await inTurn(upload, async () => {
        await checkComplete(upload)
        return { uploadId, path: upload.path }
      })
    },
    discard: async (uploadId) => {
      const upload = incoming.get(uploadId)
      if (upload === undefined) return
      incoming.delete(uploadId)
      await inTurn(upload, async () => {
        await closeFiles(upload)
        if (!isNeeded(upload.folder)) await rm(upload.folder, { recursive: true, force: true })
      })
    },
    keep,
    [Symbol.asyncDispose]: async () => {
      for (const upload of incoming.values()) await inTurn(upload, () => closeFiles(upload))
      incoming.clear()
    },
  }
}

/** Where each file goes, and what is looked at in the end: the one file, the one folder, or a folder around loose files. */
function layOut(own: string, names: readonly (readonly string[])[]): { readonly path: string; readonly places: readonly string[] } {
  const [first = []] = names
  const top = first[0] ?? LOOSE_FOLDER
  if (names.length === 1 && first.length === 1) return { path: join(own, top), places: [join(own, top)] }
  const isOneFolder = names.every((parts) => parts.length > 1 && parts[0] === top)
  const base = isOneFolder ? own : join(own, LOOSE_FOLDER)
  return { path: isOneFolder ? join(own, top) : base, places: names.map((parts) => join(base, ...parts)) }
}

async function append(file: IncomingFile, bytes: Uint8Array): Promise<void> {
  try {
    if (file.handle === null) {
      await mkdir(dirname(file.path), { recursive: true })
      // It must be new: nothing that lies there, link or file, is ever written through.
      file.handle = await open(file.path, file.receivedBytes === 0 ? 'wx' : 'a')
    }
    await file.handle.appendFile(bytes)
    file.receivedBytes += bytes.length
    if (file.receivedBytes === file.sizeBytes) await closeFile(file)
  } catch (failure) {
    throw asWriteFailure(file.path, failure)
  }
}

async function closeFile(file: IncomingFile): Promise<void> {
  const { handle } = file
  file.handle = null
  await handle?.close().catch(() => undefined)
}

async function closeFiles(upload: Incoming): Promise<void> {
  for (const file of upload.files) await closeFile(file)
}

/** `name`, or `name-2` and so on where that is taken. */
async function freeName(folder: string, name: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const path = join(folder, number === 1 ? name : `${name}-${number}`)
    if ((await stat(path).catch(() => null)) === null) return path
  }
}

async function removeLeftovers({
  folder,
  isNeeded,
  log,
}: {
  folder: string
  isNeeded: (folder: string) => boolean
  log: Log
}): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    if (isNeeded(path)) continue
    await rm(path, { recursive: true, force: true }).catch((failure: unknown) =>
      log.warn('an old upload could not be removed', { path, failure: String(failure) }),
    )
  }
}

function asWriteFailure(path: string, failure: unknown): Error {
  if (contractErrorOf(failure) !== null && failure instanceof Error) return failure
  return serviceError('uploads/write-failed', { path, reason: reasonOf(failure) }, failure)
}

/** True where `path` is `folder` or lies in it. */
export function liesIn(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

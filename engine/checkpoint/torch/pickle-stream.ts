// Pickles that lie one after the other in a file, among data: their length is known only once they are read.
import type { RandomAccessFile } from '../../bytes/random-access-file'
import { EngineError } from '../../errors'
import { MAX_PICKLE_BYTES } from '../pickle/limits'
import type { PersistentLoad } from '../pickle/machine'
import { readPickle } from '../pickle/read-pickle'
import type { PickleValue } from '../pickle/values'

/** Enough for the description of a small model. */
const FIRST_WINDOW_BYTES = 64 * 1024
/** Windows grow by this factor, so that what is read again stays a fraction of the whole. */
const GROWTH = 8

/** A stretch of a file, and how to read the pickles in it. */
export interface PickleStretch {
  readonly file: RandomAccessFile
  readonly startBytes: number
  readonly endBytes: number
  readonly signal: AbortSignal | undefined
}

/**
 * Reads `count` pickles from the start of a stretch; `endBytes` is the file offset behind the last. `persistentLoad` is made anew for each attempt.
 * Throws "checkpoint/pickle-truncated" when the stretch (or 128 MiB of it) ends before they do, and what readPickle throws.
 */
export async function readPickles(
  stretch: PickleStretch,
  options: {
    readonly count: number
    readonly persistentLoad: () => PersistentLoad
    readonly check?: (value: PickleValue, index: number) => void
  },
): Promise<{ readonly values: readonly PickleValue[]; readonly endBytes: number }> {
  const { file, startBytes, signal } = stretch
  const maxBytes = Math.min(stretch.endBytes - startBytes, MAX_PICKLE_BYTES)
  for (let windowBytes = Math.min(FIRST_WINDOW_BYTES, maxBytes); ; windowBytes = Math.min(windowBytes * GROWTH, maxBytes)) {
    const bytes = await file.read({ offsetBytes: startBytes, sizeBytes: windowBytes, ...(signal && { signal }) })
    const persistentLoad = options.persistentLoad()
    const values: PickleValue[] = []
    let start = 0
    try {
      for (let index = 0; index < options.count; index++) {
        const { value, endBytes } = readPickle(bytes, { path: file.path, start, persistentLoad })
        options.check?.(value, index)
        values.push(value)
        start = endBytes
      }
      return { values, endBytes: startBytes + start }
    } catch (error) {
      const isCutOff = error instanceof EngineError && error.code === 'checkpoint/pickle-truncated'
      if (!isCutOff || windowBytes === maxBytes) throw error
    }
  }
}

/** Reads the count of elements before a storage's data. Throws what the file's reads throw. */
export async function readElementCount(file: RandomAccessFile, offsetBytes: number): Promise<bigint> {
  const bytes = await file.read({ offsetBytes, sizeBytes: 8 })
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
}

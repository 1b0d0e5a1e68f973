// The prepared weights of a load: where they will lie is known before the graph is built, what they are is known after it.
import { mkdir, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Checkpoint } from '../checkpoint/types'
import type { FormatOverride } from '../graph/format-override'
import type { WeightFormatName } from '../graph/weight-format'
import { preparedPaths, type PreparedFolder } from '../prepared/cache'
import { ensurePrepared } from '../prepared/ensure-prepared'
import { readIndex } from '../prepared/prepared-file'
import { createPlacement, HEADER_BYTES, type PreparedPlacement } from '../prepared/placement'
import { sourceKey } from '../prepared/source-key'
import { writeFailure } from '../prepared/write-failure'

/** Several large models; more is for whoever sets a limit. */
const DEFAULT_MAX_BYTES = 100 * 1024 ** 3

/** The folder for those who name none: the system's place for what can be made again. */
function defaultPreparedFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  system: { readonly platform: NodeJS.Platform; readonly home: string } = { platform: process.platform, home: homedir() },
): string {
  const { LOCALAPPDATA: local, XDG_CACHE_HOME: xdg } = env
  if (system.platform === 'win32') return join(local ? local : join(system.home, 'AppData', 'Local'), 'Weightroom', 'prepared')
  if (system.platform === 'darwin') return join(system.home, 'Library', 'Caches', 'Weightroom', 'prepared')
  return join(xdg ? xdg : join(system.home, '.cache'), 'weightroom', 'prepared')
}

/** The prepared file of one load. */
export interface PreparedWeights {
  readonly path: string
  readonly placement: PreparedPlacement
  /** Makes what the graph asked for, unless it is there; does nothing where it asked for nothing. */
  readonly ensure: (options: {
    readonly model: string
    readonly threads: number
    readonly onProgress: (fraction: number) => void
    readonly signal?: AbortSignal
  }) => Promise<void>
}

/** Names the prepared file of a checkpoint in a format. Throws "prepared/read-failed", "prepared/write-failed". */
export async function planPrepared(
  checkpoint: Checkpoint,
  options: {
    readonly format: WeightFormatName
    readonly overrides: readonly FormatOverride[]
    readonly cache: { readonly folder?: string; readonly maxBytes?: number }
    readonly signal?: AbortSignal
  },
): Promise<PreparedWeights> {
  const { format, overrides, signal } = options
  const named = [format, ...overrides.map((override) => `${override.pattern}=${override.format}`)].join(' ')
  const folder = await realFolder(options.cache.folder ?? defaultPreparedFolder())
  const cache: PreparedFolder = { folder, maxBytes: options.cache.maxBytes ?? DEFAULT_MAX_BYTES }
  const key = await sourceKey(checkpoint, { recipe: recipeOf(options), ...(signal && { signal }) })
  const placement = createPlacement()
  return {
    path: preparedPaths(folder, key).complete,
    placement,
    ensure: async ({ model, threads, onProgress, signal: stop }) => {
      const entries = placement.entries()
      const endBytes = placement.endBytes()
      if (endBytes === HEADER_BYTES) return
      await ensurePrepared({
        cache,
        key,
        checkpoint,
        entries,
        endBytes,
        label: { model, format: named },
        threads,
        onProgress: ({ doneBytes, totalBytes }) => onProgress(totalBytes === 0 ? 1 : doneBytes / totalBytes),
        ...(stop && { signal: stop }),
      })
    },
  }
}

/** Whether the prepared file of a checkpoint in a format is there and whole. Throws "prepared/read-failed". */
export async function isPrepared(checkpoint: Checkpoint, options: Parameters<typeof planPrepared>[1]): Promise<boolean> {
  const folder = options.cache.folder ?? defaultPreparedFolder()
  const key = await sourceKey(checkpoint, { recipe: recipeOf(options), ...(options.signal && { signal: options.signal }) })
  return (await readIndex(preparedPaths(folder, key).complete)) !== null
}

/** What the file's name depends on beside its source. */
function recipeOf({ format, overrides }: { readonly format: WeightFormatName; readonly overrides: readonly FormatOverride[] }): unknown {
  return overrides.length === 0 ? format : { format, overrides }
}

async function realFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true })
    return await realpath(folder)
  } catch (cause) {
    throw await writeFailure(folder, { reason: cause, neededBytes: 0 })
  }
}

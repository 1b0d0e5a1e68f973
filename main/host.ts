// What a host (desktop window, browser, command line) gives to the app: folders, a way to fork the engine process, and what it can do natively.
import type { AppInfo } from '../preload/contract'

/** How a child process ended. `signal` is null where the host cannot know it. */
export interface EngineExit {
  readonly exitCode: number | null
  readonly signal: string | null
}

/** A forked engine process as a message port. Messages are structured-cloned. */
export interface EngineChild {
  readonly pid: number | undefined
  readonly postMessage: (message: unknown) => void
  readonly onMessage: (listener: (message: unknown) => void) => void
  /** Called once, also when the process could not be started. */
  readonly onExit: (listener: (exit: EngineExit) => void) => void
  /** What the process wrote to its standard error, in pieces. */
  readonly onStderr: (listener: (text: string) => void) => void
  /** Ends the process at once. */
  readonly kill: () => void
}

/** Where things lie. Absolute paths. */
export interface HostPaths {
  /** Database, settings and caches; made when absent. */
  readonly dataFolder: string
  /** Holds `guide`. */
  readonly resourcesFolder: string
  /** The Hugging Face hub cache; it need not exist. */
  readonly hfCacheFolder: string
}

/** Leveled log of a host. `fields` are plain data. */
export interface Log {
  readonly info: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly warn: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly error: (message: string, fields?: Readonly<Record<string, unknown>>) => void
}

/** Time as services see it; tests inject their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Everything the app needs from its surroundings. */
export interface Host {
  readonly kind: AppInfo['host']
  readonly version: string
  readonly paths: HostPaths
  readonly forkEngine: () => EngineChild
  /** Forks a process that looks into checkpoints or converts one, apart from the one that answers chats. */
  readonly forkWorkbench: () => EngineChild
  /** Native folder chooser; null when the person cancelled. Absent where the host has none. */
  readonly chooseFolder?: () => Promise<string | null>
  /** Native chooser of weight files; null when the person cancelled. Absent where the host has none. */
  readonly chooseFiles?: () => Promise<readonly string[] | null>
  /** Shows what lies at a path in the system's file manager. Absent where the host cannot. */
  readonly showFolder?: (path: string) => void
  /** Opens a checked link outside the app. Absent where the window itself does it. */
  readonly openExternal?: (url: string) => Promise<void>
  /** Whether a dropped file's path can be known. */
  readonly canDropPaths: boolean
  readonly clock: Clock
  readonly log: Log
}

// What the end-to-end suite needs of a host, whichever it is.
import type { Page } from 'playwright-core'
import type { EventLoopSummary } from './app-process'

/** A started app with one window. */
export interface RunningHost {
  readonly page: Page
  /** Process id of the app itself (the engine is its child). */
  readonly pid: number
  readonly dataFolder: string
  /** Tells the app the path of the next dropped or chosen folder, where the host has native ones; false where it has none. */
  readonly offerFolder: (path: string) => Promise<boolean>
  /** Links the app opened outside so far. */
  readonly externalLinks: () => readonly string[]
  /** Ends the app in its own way and removes nothing. Resolves to what it reported of its event loop. */
  readonly quit: () => Promise<EventLoopSummary | null>
}

/** A kind of host; `missing` says why it cannot run here, or is null. */
export interface HostKind {
  readonly name: 'web' | 'electron-double' | 'electron'
  readonly missing: string | null
  /** Starts the app on a data folder, with `env` added. The folder stays, so that it can be started again on it. */
  readonly start: (options: { readonly dataFolder: string; readonly env?: Readonly<Record<string, string>> }) => Promise<RunningHost>
}

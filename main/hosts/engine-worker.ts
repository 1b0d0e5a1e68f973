// Where the built engine process lies and what it is started with.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { engineProcessEnv } from '../engine/worker/environment'

const WORKER_FILE = 'engine-worker.mjs'
const WORKBENCH_FILE = 'workbench-worker.mjs'

/** The folder of the built main bundles, seen from any file in it: shared code may lie one folder deeper. */
export function bundleFolder(codeFolder: string): string {
  return existsSync(join(codeFolder, WORKER_FILE)) ? codeFolder : dirname(codeFolder)
}

/** Path of the engine process's module, and the variables to add to its environment. */
export function engineWorker(codeFolder: string): { readonly path: string; readonly env: Readonly<Record<string, string>> } {
  return { path: join(bundleFolder(codeFolder), WORKER_FILE), env: engineProcessEnv }
}

/** The same of the process that looks into checkpoints and converts them. */
export function workbenchWorker(codeFolder: string): { readonly path: string; readonly env: Readonly<Record<string, string>> } {
  return { path: join(bundleFolder(codeFolder), WORKBENCH_FILE), env: engineProcessEnv }
}

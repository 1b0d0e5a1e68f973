// Starts the app's process for the suites, collects what it prints, reads its stall report, and finds its engine process.
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The project's folder. */
export const root = resolve(import.meta.dirname, '../../..')

/** Where Chromium is, or null. */
export function chromiumPath(): string | null {
  const candidates = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  return candidates.find((path) => path !== undefined && existsSync(path)) ?? null
}

/** Flags that let Chromium run on a machine without a network and as any user. */
export const chromiumArgs: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

/** Longest times the event loop of the app's process was late, and was held by its own work, in ms. */
export interface EventLoopSummary {
  readonly maxGapMs: number
  readonly maxHeldMs: number
}

/** Reads the report that WEIGHTROOM_REPORT_STALLS names; null when there is none. */
export function readEventLoop(report: string): EventLoopSummary | null {
  return existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as EventLoopSummary) : null
}

/** A child process of the suite with its output. */
export interface AppProcess {
  readonly child: ChildProcess
  readonly output: () => string
  readonly exited: Promise<void>
  /** What the app reported of its event loop when it ended. */
  readonly eventLoop: () => EventLoopSummary | null
}

/** Starts node with `args`. */
export function startApp(options: {
  readonly args: readonly string[]
  readonly dataFolder: string
  readonly env: Readonly<Record<string, string>>
}): AppProcess {
  const report = join(options.dataFolder, 'stalls.json')
  let output = ''
  const child = spawn(process.execPath, [...options.args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, WEIGHTROOM_DATA: options.dataFolder, WEIGHTROOM_REPORT_STALLS: report, ...options.env },
  })
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  return {
    child,
    output: () => output,
    exited: new Promise((done) => child.once('exit', () => done())),
    eventLoop: () => readEventLoop(report),
  }
}

/** Waits for a line of the process's output that matches; throws with the output when it ends or takes too long. */
export async function waitForOutput(app: AppProcess, pattern: RegExp, limitMs = 60_000): Promise<string> {
  const deadline = Date.now() + limitMs
  while (Date.now() < deadline) {
    const found = pattern.exec(app.output())
    if (found) return found[1] ?? found[0]
    if (app.child.exitCode !== null) break
    await new Promise((done) => setTimeout(done, 25))
  }
  throw new Error(`The app did not print ${String(pattern)}:\n${app.output()}`)
}

/** Process ids of the engine processes below `pid`. */
export function engineProcesses(pid: number): readonly number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((match) => (match ? [{ pid: Number(match[1]), parent: Number(match[2]), args: match[3] ?? '' }] : []))
  return rows.filter((row) => row.parent === pid && row.args.includes('engine-worker')).map((row) => row.pid)
}

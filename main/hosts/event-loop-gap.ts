// Measures how long the main process's event loop was ever held: a ticker that notices when it comes late.
import { writeFileSync } from 'node:fs'

/** The ticker's period; a gap is what a tick is late by. */
const TICK_MS = 5
/** Gaps kept for the report, largest first. */
const KEPT_GAPS = 20

/** A tick that came late. `cpuMs` is the CPU time that the whole process used meanwhile: much less than `gapMs` means that the machine was busy with others. */
interface EventLoopGap {
  readonly atMs: number
  readonly gapMs: number
  readonly cpuMs: number
}

/** The largest gaps since the start, largest first. */
export interface EventLoopReport {
  readonly maxGapMs: number
  /** The longest that our own work held the loop: per gap the smaller of its length and its CPU time. */
  readonly maxHeldMs: number
  readonly gaps: readonly EventLoopGap[]
  readonly observedMs: number
}

/** Watches from now until `stop`. The ticker keeps no process alive. */
export function measureEventLoop(): { readonly report: () => EventLoopReport; readonly stop: () => void } {
  const startMs = performance.now()
  let lastMs = startMs
  let lastCpu = process.cpuUsage()
  let gaps: readonly EventLoopGap[] = []
  let maxHeldMs = 0
  const timer = setInterval(() => {
    const nowMs = performance.now()
    const gapMs = nowMs - lastMs - TICK_MS
    const { user, system } = process.cpuUsage(lastCpu)
    const cpuMs = (user + system) / 1000
    lastMs = nowMs
    lastCpu = process.cpuUsage()
    maxHeldMs = Math.max(maxHeldMs, Math.min(gapMs, cpuMs))
    if (gaps.length < KEPT_GAPS || gapMs > (gaps.at(-1)?.gapMs ?? 0)) {
      gaps = [...gaps, { atMs: nowMs - startMs, gapMs, cpuMs }].sort((a, b) => b.gapMs - a.gapMs).slice(0, KEPT_GAPS)
    }
  }, TICK_MS).unref()
  return {
    report: () => ({ maxGapMs: gaps[0]?.gapMs ?? 0, maxHeldMs, gaps, observedMs: performance.now() - startMs }),
    stop: () => clearInterval(timer),
  }
}

/**
 * Watches the process when WEIGHTROOM_REPORT_STALLS names a file; the returned function writes the report there as JSON, and so does the process's exit.
 * Without the variable nothing is watched and nothing written.
 */
export function watchEventLoop(env: Readonly<Record<string, string | undefined>>): () => void {
  const file = env['WEIGHTROOM_REPORT_STALLS']
  if (file === undefined || file === '') return () => undefined
  const { report } = measureEventLoop()
  const write = (): void => writeFileSync(file, `${JSON.stringify(report(), null, 2)}\n`)
  process.once('exit', write)
  return write
}

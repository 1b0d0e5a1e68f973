// Why the engine process ended: told from its exit code or signal, its last words, and the system's count of out-of-memory kills.
import { readFileSync } from 'node:fs'
import type { EngineExit } from '../host'

/** What ended the process, as far as it can be known. */
export type ExitReason = 'out-of-memory' | 'killed' | 'native-crash' | 'unresponsive' | 'exit'

const CRASH_SIGNALS = new Set(['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP', 'SIGSYS'])
/** Shell convention (128 + signal) and Windows NTSTATUS codes of a crash. */
const CRASH_EXIT_CODES = new Set([132, 134, 135, 136, 139, 0xc0000005, 0xc00000fd, 0xc000001d, 0xc0000374, 0xc0000409])
const KILL_EXIT_CODE = 137
const OUT_OF_MEMORY_WORDS = /heap out of memory|bad_alloc|cannot allocate memory|failed to allocate memory|out of memory/i

/** Files that count out-of-memory kills on Linux: the whole machine, and the control group. */
const OOM_COUNTERS = ['/proc/vmstat', '/sys/fs/cgroup/memory.events']

/** Out-of-memory kills so far; 0 where the system does not tell. Two reads around an exit show whether one happened. */
export function countOutOfMemoryKills(): number {
  let kills = 0
  for (const file of OOM_COUNTERS) {
    try {
      const found = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))
      kills += Number(found?.[1] ?? 0)
    } catch {
      // Absent on this system: the guess below rests on the signal and the last words.
    }
  }
  return kills
}

/** The likeliest reason. `outOfMemoryKills` is the difference of two counts; `lastWords` the end of standard error. */
export function exitReason(options: {
  readonly exit: EngineExit
  readonly lastWords: string
  readonly outOfMemoryKills: number
}): ExitReason {
  const { exit, lastWords, outOfMemoryKills } = options
  const killed = exit.signal === 'SIGKILL' || exit.exitCode === KILL_EXIT_CODE
  const crashed =
    (exit.signal !== null && CRASH_SIGNALS.has(exit.signal)) || (exit.exitCode !== null && CRASH_EXIT_CODES.has(exit.exitCode))
  if (killed && outOfMemoryKills > 0) return 'out-of-memory'
  if ((killed || crashed || exit.exitCode !== 0) && OUT_OF_MEMORY_WORDS.test(lastWords)) return 'out-of-memory'
  if (killed || exit.signal === 'SIGTERM' || exit.signal === 'SIGINT') return 'killed'
  return crashed ? 'native-crash' : 'exit'
}

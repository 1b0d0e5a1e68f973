// How many threads a session computes with: one per physical core, since two threads of one core share the units that multiply.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const CPU_INFO = '/proc/cpuinfo'

/**
 * Counts physical cores in the text of /proc/cpuinfo: distinct pairs of `physical id` and `core id`. Returns null where the text does not say
 * (ARM, some virtual machines).
 */
export function countPhysicalCores(cpuInfo: string): number | null {
  const cores = new Set<string>()
  for (const processor of cpuInfo.split(/\n\s*\n/)) {
    const field = (name: string): string | undefined => new RegExp(`^${name}\\s*:\\s*(\\d+)`, 'm').exec(processor)?.[1]
    const core = field('core id')
    if (core !== undefined) cores.add(`${field('physical id') ?? '0'}/${core}`)
  }
  return cores.size === 0 ? null : cores.size
}

function readCpuInfo(): string {
  if (process.platform !== 'linux') return ''
  try {
    return readFileSync(CPU_INFO, 'utf8')
  } catch {
    // A sandbox may hide the file; the number of processors is then all that is known.
    return ''
  }
}

/**
 * Threads for a session: the physical cores, never more than the processors this process may use (affinity and container limits).
 * Where the cores are unknown (macOS, Windows, ARM) it is every processor: most such machines have one thread per core.
 */
export function defaultThreads(): number {
  const usable = availableParallelism()
  return Math.min(countPhysicalCores(readCpuInfo()) ?? usable, usable)
}

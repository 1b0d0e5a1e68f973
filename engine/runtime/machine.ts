// What this machine is to the planner: its memory as this process may use it, read without native code.
import { readFileSync } from 'node:fs'
import { cpus, freemem, totalmem } from 'node:os'
import type { MachineDescription } from '../plan/types'

/** Where the numbers come from; tests give their own. */
export interface MachineSources {
  readonly totalBytes: () => number
  /** Memory that could be given out without swapping (MemAvailable on Linux). */
  readonly freeBytes: () => number
  /** Text of a file, or null where there is none. */
  readonly readText: (path: string) => string | null
  readonly cpuModel: () => string
}

const thisMachine: MachineSources = {
  totalBytes: totalmem,
  freeBytes: freemem,
  readText: (path) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      // Not a Linux, or not in a control group: there is no such limit then.
      return null
    }
  },
  cpuModel: () => cpus()[0]?.model.trim() ?? '',
}

const CGROUP = '/sys/fs/cgroup'

/** Limit and use of the control group (version 2), or null where there is no limit. Pages of inactive files count as free: the system drops them first. */
function cgroupMemory(readText: MachineSources['readText']): { readonly limitBytes: number; readonly usedBytes: number } | null {
  // "max" when there is no limit.
  const limitBytes = Number(readText(`${CGROUP}/memory.max`)?.trim() || Number.NaN)
  if (!Number.isFinite(limitBytes)) return null
  const currentBytes = Number(readText(`${CGROUP}/memory.current`)?.trim() ?? 0)
  const inactiveFileBytes = Number(/^inactive_file (\d+)$/m.exec(readText(`${CGROUP}/memory.stat`) ?? '')?.[1] ?? 0)
  return { limitBytes, usedBytes: Math.max(0, currentBytes - inactiveFileBytes) }
}

/** The machine that this process runs on: one CPU device. A container's limit counts where it is below the machine's memory. */
export function describeMachine(sources: MachineSources = thisMachine): MachineDescription {
  const machineBytes = sources.totalBytes()
  const cgroup = cgroupMemory(sources.readText)
  const totalBytes = Math.min(machineBytes, cgroup?.limitBytes ?? machineBytes)
  const freeBytes = Math.min(
    sources.freeBytes(),
    cgroup === null ? Number.POSITIVE_INFINITY : Math.max(0, cgroup.limitBytes - cgroup.usedBytes),
  )
  return { devices: [{ id: 'cpu', kind: 'cpu', name: sources.cpuModel() || 'CPU', totalBytes, freeBytes }] }
}

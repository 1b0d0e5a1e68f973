// This machine as the planner sees it, with every source injected.
import { describe, expect, it } from 'vitest'
import { describeMachine, type MachineSources } from '../../../engine/runtime/machine'

const GIB = 2 ** 30
const sources = (files: Readonly<Record<string, string>>): MachineSources => ({
  totalBytes: () => 16 * GIB,
  freeBytes: () => 10 * GIB,
  readText: (path) => files[path.replace('/sys/fs/cgroup/', '')] ?? null,
  cpuModel: () => 'A CPU',
})

describe('describeMachine', () => {
  it('is the whole machine where there is no control group', () => {
    expect(describeMachine(sources({})).devices).toEqual([
      { id: 'cpu', kind: 'cpu', name: 'A CPU', totalBytes: 16 * GIB, freeBytes: 10 * GIB },
    ])
  })

  it('is the whole machine in a control group without a limit', () => {
    expect(describeMachine(sources({ 'memory.max': 'max\n', 'memory.current': '1\n' })).devices[0]).toMatchObject({
      totalBytes: 16 * GIB,
      freeBytes: 10 * GIB,
    })
  })

  it("is a container's limit, less what is used, inactive files counted as free", () => {
    const files = {
      'memory.max': `${4 * GIB}\n`,
      'memory.current': `${3 * GIB}\n`,
      'memory.stat': `anon 5\ninactive_file ${GIB}\nslab 3\n`,
    }
    expect(describeMachine(sources(files)).devices[0]).toMatchObject({ totalBytes: 4 * GIB, freeBytes: 2 * GIB })
  })

  it('never has less than nothing free', () => {
    const files = { 'memory.max': `${GIB}\n`, 'memory.current': `${2 * GIB}\n` }
    expect(describeMachine(sources(files)).devices[0].freeBytes).toBe(0)
  })

  it('describes the machine that runs this', () => {
    const [device] = describeMachine().devices
    expect(device.totalBytes).toBeGreaterThan(0)
    expect(device.freeBytes).toBeLessThanOrEqual(device.totalBytes)
    expect(device.name.length).toBeGreaterThan(0)
  })
})

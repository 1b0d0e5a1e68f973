import { expect, test } from 'vitest'
import { countOutOfMemoryKills, exitReason } from '../../../main/engine/exit-reason'

const reason = (
  exitCode: number | null,
  signal: string | null,
  more: { readonly lastWords?: string; readonly outOfMemoryKills?: number } = {},
): string => exitReason({ exit: { exitCode, signal }, lastWords: more.lastWords ?? '', outOfMemoryKills: more.outOfMemoryKills ?? 0 })

test('a kill while the system counted an out-of-memory kill is one', () =>
  expect(reason(null, 'SIGKILL', { outOfMemoryKills: 1 })).toBe('out-of-memory'))
test('a kill without one is a kill', () => expect(reason(null, 'SIGKILL')).toBe('killed'))
test('an exit code of a shell or of Electron counts like its signal', () => {
  expect(reason(137, null)).toBe('killed')
  expect(reason(139, null)).toBe('native-crash')
})
test('an access violation on Windows is a crash', () => expect(reason(0xc0000005, null)).toBe('native-crash'))
test('last words about memory decide', () => {
  expect(reason(134, null, { lastWords: 'FATAL ERROR: JavaScript heap out of memory' })).toBe('out-of-memory')
  expect(reason(1, null, { lastWords: "terminate called after throwing an instance of 'std::bad_alloc'" })).toBe('out-of-memory')
})
test('words about memory before an orderly end decide nothing', () => expect(reason(0, null, { lastWords: 'out of memory' })).toBe('exit'))
test('the count of kills is a number wherever it runs', () => expect(countOutOfMemoryKills()).toBeGreaterThanOrEqual(0))

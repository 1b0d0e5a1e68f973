// Stop strings: the outcome is the same however the text is cut, and no part of a stop string is shown.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createStopWatcher } from '../../../engine/generate/stop-strings'

/** Feeds `text` in pieces of the given lengths; what was shown at each push and the stop string. */
function watch(
  text: string,
  { stops, cuts }: { readonly stops: readonly string[]; readonly cuts: readonly number[] },
): { shown: string; stopString: string | null } {
  const watcher = createStopWatcher(stops)
  let shown = ''
  let stopString: string | null = null
  let at = 0
  for (const cut of [...cuts, text.length]) {
    const end = Math.min(at + cut, text.length)
    const result = watcher.push(text.slice(at, end))
    shown += result.text
    stopString ??= result.stopString
    at = end
  }
  return { shown: shown + watcher.flush(), stopString }
}

/** The definition, character by character: the text ends before the stop string that is complete first. */
function expected(text: string, stops: readonly string[]): { shown: string; stopString: string | null } {
  for (let end = 1; end <= text.length; end++) {
    const complete = stops.filter((stop) => stop.length > 0 && text.slice(0, end).endsWith(stop)).sort((a, b) => b.length - a.length)[0]
    if (complete !== undefined) return { shown: text.slice(0, end - complete.length), stopString: complete }
  }
  return { shown: text, stopString: null }
}

describe('stop strings', () => {
  it('gives the defined outcome for any cut of any text', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 })
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 24 }),
        fc.array(piece, { maxLength: 3 }),
        fc.array(fc.nat(5)),
        (text, stops, cuts) => {
          expect(watch(text, { stops, cuts })).toEqual(expected(text, stops))
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('shows text at once that can no longer begin a stop string', () => {
    const watcher = createStopWatcher(['</end>'])
    expect(watcher.push('a<').text).toBe('a')
    expect(watcher.push('/en').text).toBe('')
    expect(watcher.push('x').text).toBe('</enx')
  })

  it('drops everything after the stop string', () => {
    const watcher = createStopWatcher(['.'])
    expect(watcher.push('a.b')).toEqual({ text: 'a', stopString: '.' })
    expect(watcher.push('c')).toEqual({ text: '', stopString: null })
    expect(watcher.flush()).toBe('')
  })
})

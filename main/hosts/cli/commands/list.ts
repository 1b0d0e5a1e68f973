// `weightroom list`: the models that the app knows on this machine.
import type { Command } from 'commander'
import type { ModelEntry } from '../../../../preload/contract'
import { printable } from '../../printable'
import { formatBytes, writeJson, type Terminal } from '../terminal'

interface ListOptions {
  readonly json?: true
}

/** Adds `list` to the program. */
export function registerList(program: Command, terminal: Terminal): void {
  program
    .command('list')
    .description('list the built-in model, added folders and the models of the Hugging Face cache')
    .option('--json', 'answer with one JSON document')
    .action(async (options: ListOptions) => {
      const { openLibrary } = await import('../library')
      const library = await openLibrary(terminal.signal)
      const entries = await library.list()
      if (options.json) writeJson(terminal, entries)
      else terminal.stdout.write(describeEntries(entries))
    })
}

/** One model per line, columns aligned. */
function describeEntries(entries: readonly ModelEntry[]): string {
  const rows = entries.map(({ name, modelType, sizeBytes, state, problem, path }) => [
    printable(name),
    printable(modelType ?? '-'),
    formatBytes(sizeBytes),
    state,
    printable(problem?.message ?? path),
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`).join('')
}

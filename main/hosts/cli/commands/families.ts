// `weightroom families`: the decoder families that run, and what was verified of each against Transformers.
import type { Command } from 'commander'
import { FAMILY_CHECKS } from '../../../../engine/config/families/checks'
import { FAMILIES } from '../../../../engine/config/families/table'
import { WRAPPERS } from '../../../../engine/config/families/wrappers'
import { writeJson, type Terminal } from '../terminal'

interface FamiliesOptions {
  readonly json?: true
}

/** Adds `families` to the program. */
export function registerFamilies(program: Command, terminal: Terminal): void {
  program
    .command('families')
    .description('list the decoder families that run, and what was verified of each')
    .option('--json', 'answer with one JSON document')
    .action((options: FamiliesOptions) => {
      const rows = [...FAMILIES, ...WRAPPERS].map(({ family, modelTypes, architectures }) => ({
        family,
        modelTypes,
        architectures,
        verified: FAMILY_CHECKS[modelTypes[0] ?? ''] ?? [],
      }))
      if (options.json) {
        writeJson(terminal, rows)
        return
      }
      const widths = [
        Math.max(...rows.map(({ family }) => family.length)),
        Math.max(...rows.map(({ modelTypes }) => modelTypes.join(', ').length)),
      ]
      for (const { family, modelTypes, verified } of rows) {
        const checks = verified.length === 0 ? 'by its public configuration only' : verified.join(', ')
        terminal.stdout.write(`${family.padEnd(widths[0] ?? 0)}  ${modelTypes.join(', ').padEnd(widths[1] ?? 0)}  ${checks}\n`)
      }
    })
}

// Runs one command line: parses it, runs the command, and turns every failure into one sentence on standard error and an exit code.
import { Command, CommanderError } from 'commander'
import { registerBench } from './commands/bench'
import { registerConvert } from './commands/convert'
import { registerFamilies } from './commands/families'
import { registerInspect } from './commands/inspect'
import { registerList } from './commands/list'
import { registerLogits } from './commands/logits'
import { registerPerplexity } from './commands/perplexity'
import { registerPlan } from './commands/plan'
import { registerRender } from './commands/render'
import { registerRun } from './commands/run'
import { registerServe } from './commands/serve'
import { registerTokenize } from './commands/tokenize'
import { describeFailure } from './describe-failure'
import type { Terminal } from './terminal'

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C (128 + SIGINT, as shells have it). */
export const EXIT = { done: 0, failed: 1, usage: 2, cancelled: 130 } as const

/** Adds a command to the program. */
type RegisterCommand = (program: Command, terminal: Terminal) => void

const COMMANDS: readonly RegisterCommand[] = [
  registerRun,
  registerServe,
  registerList,
  registerFamilies,
  registerInspect,
  registerConvert,
  registerTokenize,
  registerRender,
  registerLogits,
  registerPerplexity,
  registerPlan,
  registerBench,
]
/** Commands that Ctrl-C ends without cutting anything short. */
const UNTIL_STOPPED: ReadonlySet<string> = new Set(['', 'serve'])

/** Runs `args` (without node and script) and returns the exit code. Never throws. */
export async function runCli(args: readonly string[], options: { readonly terminal: Terminal; readonly version: string }): Promise<number> {
  const { terminal, version } = options
  const program = new Command('weightroom')
    .description('Run local language models straight from Hugging Face checkpoints, offline.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', '\nWithout a command the app opens.')
    .configureOutput({ writeOut: (text) => void terminal.stdout.write(text), writeErr: (text) => void terminal.stderr.write(text) })
  for (const register of COMMANDS) register(program, terminal)
  let command = ''
  program.hook('preAction', (_, action) => void (command = action.name()))
  try {
    if (args.length === 0) {
      const { openApp } = await import('./open-app')
      await openApp(terminal)
    } else await program.parseAsync([...args], { from: 'user' })
    return terminal.signal.aborted && !UNTIL_STOPPED.has(command) ? EXIT.cancelled : EXIT.done
  } catch (failure) {
    if (failure instanceof CommanderError) return failure.exitCode === 0 ? EXIT.done : EXIT.usage
    if (terminal.signal.aborted) return EXIT.cancelled
    terminal.stderr.write(`${describeFailure(failure)}\n`)
    return EXIT.failed
  }
}

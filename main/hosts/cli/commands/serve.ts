// `weightroom serve`: the app in a browser, without a window of its own.
import type { Command } from 'commander'
import { integerFrom } from '../options'
import type { Terminal } from '../terminal'

interface ServeOptions {
  readonly port?: number
  readonly host?: string
}

/** Adds `serve` to the program. */
export function registerServe(program: Command, terminal: Terminal): void {
  program
    .command('serve')
    .description('serve the app to a browser on this machine')
    .option('--port <n>', 'port to listen on; another one is taken when it is in use', integerFrom(0, 65_535))
    .option('--host <name>', 'address to listen on, of this machine only')
    .action((options: ServeOptions) => serveApp(options, terminal))
}

/** Serves until Ctrl-C. */
async function serveApp({ port, host }: ServeOptions, terminal: Terminal): Promise<void> {
  const { serve } = await import('../../start')
  await serve({
    print: (line) => void terminal.stdout.write(`${line}\n`),
    codeFolder: import.meta.dirname,
    ...(port !== undefined && { port }),
    ...(host !== undefined && { hostname: host }),
  })
}

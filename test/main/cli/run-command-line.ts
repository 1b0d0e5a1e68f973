// Runs the command line inside the test process, with streams that remember what was written.
import { PassThrough } from 'node:stream'
import { runCli } from '../../../main/hosts/cli/run-cli'

/** What one call did. */
export interface CliOutcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** Of the one `error[code]: sentence` line; null when there is none. */
  readonly code: string | null
}

/** Runs `weightroom` with these arguments; `stdin` is what is piped into it. */
export async function weightroom(
  args: readonly string[],
  options: { readonly stdin?: string; readonly signal?: AbortSignal; readonly onOutput?: () => void } = {},
): Promise<CliOutcome> {
  const stdin = new PassThrough()
  stdin.end(options.stdin ?? '')
  const written = { stdout: '', stderr: '' }
  const sink = (name: keyof typeof written): PassThrough => {
    const stream = new PassThrough()
    stream.on('data', (chunk: Buffer) => {
      written[name] += chunk.toString('utf8')
      if (name === 'stdout') options.onOutput?.()
    })
    return stream
  }
  const [stdout, stderr] = [sink('stdout'), sink('stderr')]
  const exitCode = await runCli(args, {
    version: '1.2.3',
    terminal: { stdin, stdout, stderr, signal: options.signal ?? new AbortController().signal, now: () => performance.now() },
  })
  // Data events come a turn later.
  await new Promise((resolve) => setImmediate(resolve))
  return { exitCode, ...written, code: /^error\[([^\]]+)\]: .+\n$/.exec(written.stderr)?.[1] ?? null }
}

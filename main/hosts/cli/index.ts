#!/usr/bin/env node
// The weightroom command: connects the process's streams and Ctrl-C to runCli.
import { version } from '../../../package.json'
import { EXIT, runCli } from './run-cli'
import type { TextSink } from './terminal'

const controller = new AbortController()
process.on('SIGINT', () => {
  // The first one stops the work cleanly; whoever presses again does not want to wait for it.
  if (controller.signal.aborted) process.exit(EXIT.cancelled)
  controller.abort()
})
// A reader that went away (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed))

const sink = (stream: NodeJS.WriteStream): TextSink => ({ write: (text) => void stream.write(text), isTerminal: stream.isTTY })
process.exitCode = await runCli(process.argv.slice(2), {
  version,
  terminal: {
    stdout: sink(process.stdout),
    stderr: sink(process.stderr),
    stdin: process.stdin,
    signal: controller.signal,
    now: () => performance.now(),
  },
})

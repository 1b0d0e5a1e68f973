#!/usr/bin/env node
// The weightroom command: connects the process's streams and Ctrl-C to runCli.
import { version } from '../../../package.json'
import { EXIT, runCli } from './run-cli'

const controller = new AbortController()
process.on('SIGINT', () => {
  // The first one stops the work cleanly; whoever presses again does not want to wait for it.
  if (controller.signal.aborted) process.exit(EXIT.cancelled)
  controller.abort()
})
// A reader that went away (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed))

process.exitCode = await runCli(process.argv.slice(2), {
  version,
  terminal: {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: controller.signal,
    now: () => performance.now(),
  },
})

// What a command sees of the world: its streams, a signal for Ctrl-C, a clock. Tests give their own.
import { printable, printableText } from '../printable'

/** A stream that may be a person's terminal. */
type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean }
/** A stream that may be a person's terminal. */
type Output = NodeJS.WritableStream & { readonly isTTY?: boolean }

/** The surroundings of one call of the command line. */
export interface Terminal {
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** Milliseconds from any fixed moment. */
  readonly now: () => number
}

/** Writes the one JSON document of `--json`. Inside of its texts the characters that terminals obey are escaped; it means the same. */
export function writeJson(terminal: Terminal, document: unknown): void {
  const indent = terminal.stdout.isTTY === true ? 2 : undefined
  const lines = JSON.stringify(document, null, indent).split('\n')
  terminal.stdout.write(`${lines.map(printable).join('\n')}\n`)
}

/** Writes text of a model: to a person's terminal without control characters, to a program exactly as it is. */
export function writeText({ stdout }: Terminal, text: string): void {
  stdout.write(stdout.isTTY === true ? printableText(text) : text)
}

/** A size for people, in powers of 1024. */
export function formatBytes(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = sizeBytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit] ?? ''}`
}

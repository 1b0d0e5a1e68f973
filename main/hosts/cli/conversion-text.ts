// A conversion as lines for people: its plan, its progress, its report.
import type {
  ConversionEvent,
  ConversionPlan,
  ConversionReport,
  FamilyPlan,
  LeftBehind,
  LogitsComparison,
  PlannedConfigField,
} from '../../../engine/convert/types'
import { formatBytes, type Terminal } from './terminal'

/** How often the progress line changes. */
const FRAME_MS = 100

/** The family that the source is mapped onto, and every field of config.json with its reason; guesses first, because they need a look. */
function familyLines({ name, layout, mapped, unmapped, config }: FamilyPlan): readonly string[] {
  const guesses = config.filter(({ origin }) => origin === 'guess')
  const others = config.filter(({ origin }) => origin !== 'guess')
  const line = ({ name: field, value, origin, reason }: PlannedConfigField): string =>
    `config      ${field} = ${String(value)} (${origin === 'guess' ? 'guess, change with --set' : origin}: ${reason.text})`
  return [
    `family      ${name}: ${mapped} tensors with ${layout} names`,
    ...unmapped.map((tensor) => `no place    ${tensor}`),
    ...[...guesses, ...others].map(line),
  ]
}

/** What is left behind in words. */
export function describeLeftBehind({ name, why }: LeftBehind): string {
  return why === 'metadata' ? `metadata ${name}` : name
}

/** Lines that plan and report share. */
function commonLines(document: Pick<ConversionPlan, 'dtypeChanges' | 'family' | 'tied' | 'dropped' | 'notes'>): readonly string[] {
  const { dtypeChanges, family, tied, dropped, notes } = document
  return [
    ...(family ? familyLines(family) : []),
    ...dtypeChanges.map(({ from, to, tensors, exact }) => `dtype       ${tensors} x ${from} -> ${to}, ${exact ? 'exact' : 'rounded'}`),
    ...tied.map((names) => `tied        ${names.join(' = ')}`),
    ...dropped.map((each) => `dropped     ${describeLeftBehind(each)}`),
    ...notes.map(({ text }) => `note        ${text}`),
  ]
}

/** The plan as lines. */
export function describeConversionPlan(plan: ConversionPlan): string {
  const { source, to, out, outputs, companions, generated, candidates, neededBytes, freeBytes, replaced } = plan
  const lines = [
    `${source.path} (${source.format}, ${formatBytes(source.tensorBytes)} of tensors)`,
    `-> ${out} (${to})`,
    ...outputs.map(({ file, sizeBytes, tensors }) => `write       ${file}  ${formatBytes(sizeBytes)}, ${tensors} tensors`),
    ...companions.map(({ file, sizeBytes }) => `copy        ${file}  ${formatBytes(sizeBytes)}`),
    ...generated.map(({ file, sizeBytes }) => `write       ${file}  ${formatBytes(sizeBytes)}`),
    ...(plan.family === null && candidates.length > 0 ? [`families    ${candidates.join(', ')} (--family)`] : []),
    ...replaced.map((file) => `remove      ${file}`),
    ...commonLines(plan),
    `disk        ${formatBytes(neededBytes)} needed, ${formatBytes(freeBytes)} free${neededBytes > freeBytes ? ': not enough' : ''}`,
  ]
  return `${lines.join('\n')}\n`
}

function logitsLine({ promptIds, maxAbsError, logitStd, sameGreedy }: LogitsComparison): string {
  const relative =
    maxAbsError === 0 ? 'the same' : `at most ${(maxAbsError / Math.max(logitStd, 1e-30)).toPrecision(2)} of their spread apart`
  return `logits      of ${promptIds.length} positions are ${relative}; the likeliest tokens are ${sameGreedy ? 'the same' : 'not all the same'}`
}

/** The report as lines. */
export function describeConversionReport(report: ConversionReport & { readonly elapsedMs: number }): string {
  const { out, files, companions, totals, logits, elapsedMs } = report
  const { tensors, identicalTensors, maxAbsError, overflowed, flushedToZero, fileBytes } = totals
  const loss = [
    `largest error ${maxAbsError.toPrecision(3)}`,
    ...(overflowed > 0 ? [`${overflowed} values became infinite`] : []),
    ...(flushedToZero > 0 ? [`${flushedToZero} values became zero`] : []),
  ]
  const lines = [
    out,
    ...files.map(
      ({ file, sizeBytes, reused }) => `written     ${file}  ${formatBytes(sizeBytes)}${reused ? ' (from the interrupted run)' : ''}`,
    ),
    ...companions.map((file) => `copied      ${file}`),
    ...commonLines(report),
    identicalTensors === tensors
      ? `verified    ${tensors} tensors, identical to the source`
      : `verified    ${tensors} tensors, ${identicalTensors} identical to the source; ${loss.join(', ')}`,
    ...(logits ? [logitsLine(logits)] : []),
    `time        ${(elapsedMs / 1000).toFixed(1)} s, ${formatBytes((fileBytes / Math.max(1, elapsedMs)) * 1000)}/s`,
  ]
  return `${lines.join('\n')}\n`
}

/** One line on a person's terminal that is rewritten in place; nothing elsewhere. Dispose removes it. */
export class ProgressLine implements Disposable {
  readonly #terminal: Terminal
  readonly #startMs: number
  #shownMs: number
  #visible = false

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    this.#startMs = terminal.now()
    this.#shownMs = this.#startMs
  }

  /** Shows an event when it is time for it. */
  show(event: ConversionEvent): void {
    const { stderr, now } = this.#terminal
    if (event.type !== 'progress' || stderr.isTTY !== true || now() - this.#shownMs < FRAME_MS) return
    this.#shownMs = now()
    const { file, doneBytes, totalBytes } = event
    const seconds = (this.#shownMs - this.#startMs) / 1000
    const bytesPerSecond = doneBytes / seconds
    const left = bytesPerSecond > 0 ? `, ${Math.ceil((totalBytes - doneBytes) / bytesPerSecond)} s left` : ''
    const percent = Math.floor((100 * doneBytes) / Math.max(1, totalBytes))
    stderr.write(
      `\r\u001b[K${percent} %  ${file}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}, ${formatBytes(bytesPerSecond)}/s${left}`,
    )
    this.#visible = true
  }

  /** Removes the line. */
  clear(): void {
    if (this.#visible) this.#terminal.stderr.write('\r\u001b[K')
    this.#visible = false
  }

  [Symbol.dispose](): void {
    this.clear()
  }
}

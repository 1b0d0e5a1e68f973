// One reply from question to last character: stored as it streams, so that a crash loses at most half a second of it.
import type { ContractError, Message, ReplyEvent, ReplyToken, Sampling } from '../../preload/contract'
import type { ChatMessage } from '../../engine/tokenizer/types'
import type { GenerateOutcome, ReplyPrefix } from '../engine/protocol'
import type { Clock, Log } from '../host'
import { contractErrorOf, serviceError } from '../service-error'
import type { MessageJournal } from './journal'
import type { ReplyEngine } from './ports'
import { packRecord } from './record'
import type { MessageRow } from './rows'
import type { ChatStore } from './store'

/** How often streamed text is written to the database. */
const FLUSH_MS = 500

/** What a reply needs. `row` is the assistant message as it was inserted, streaming, with the text of `prefix`. */
export interface ReplyRun {
  readonly row: MessageRow
  readonly messages: readonly ChatMessage[]
  /** The beginning to go on from, and the tokens that it is kept with. */
  readonly prefix: ReplyPrefix | null
  readonly tokensBefore: readonly ReplyToken[]
  readonly store: Pick<ChatStore, 'saveRecord'>
  /** Null takes the model's own. */
  readonly sampling: Sampling | null
  readonly engine: ReplyEngine
  readonly journal: MessageJournal
  readonly emit: (event: ReplyEvent) => void
  /** The row as the window sees it. */
  readonly shown: (row: MessageRow) => Message
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Runs the reply to its end, whatever that is; the stored message says how it ended. Emits prefill, delta and finished. */
export async function runReply(run: ReplyRun): Promise<void> {
  const { journal, emit, signal } = run
  let row = run.row
  let outcome: GenerateOutcome | null = null
  let flush: NodeJS.Timeout | undefined

  function append(text: string): void {
    row = { ...row, content: row.content + text }
    emit({ type: 'delta', messageId: row.id, text })
    flush ??= setTimeout(() => {
      flush = undefined
      save(run, row)
    }, FLUSH_MS)
  }

  try {
    const model = await abortable(run.engine.model(), signal)
    row = { ...row, modelName: model.name }
    outcome = await model.generate({
      messages: run.messages,
      prefix: run.prefix,
      sampling: run.sampling ?? model.defaultSampling,
      signal,
      onFrame: (frame) => {
        if (frame.type === 'delta') append(frame.text)
        else emit(frame)
      },
    })
    row = completed(row, outcome)
  } catch (failure) {
    row = broken(row, asError(run.log, failure))
  }
  clearTimeout(flush)
  const unsaved = save(run, row)
  const record = outcome?.record
  if (record !== undefined && unsaved === null) row = { ...row, hasTokens: saveRecord(run, row.id, record) }
  journal.showLeaf(row.chatId, row.id, run.clock.now())
  emit({ type: 'finished', message: run.shown({ ...row, error: row.error ?? unsaved }) })
}

/** Saves a row; a failure that waiting does not mend is logged and told like the others, because the reply must go on. */
function save(run: ReplyRun, row: MessageRow): ContractError | null {
  try {
    return run.journal.save(row)
  } catch (failure) {
    return asError(run.log, failure)
  }
}

/** Keeps what the tokens were; without it the reply is whole all the same. */
function saveRecord(run: ReplyRun, messageId: string, record: NonNullable<GenerateOutcome['record']>): boolean {
  try {
    return run.store.saveRecord(messageId, packRecord(record, run.tokensBefore))
  } catch (failure) {
    run.log.warn('the tokens of a reply could not be kept', { messageId, failure: String(failure) })
    return false
  }
}

function completed(row: MessageRow, outcome: GenerateOutcome): MessageRow {
  return { ...row, content: outcome.text, status: 'complete', finishReason: outcome.finishReason, stats: outcome.stats }
}

function broken(row: MessageRow, error: ContractError): MessageRow {
  if (error.code === 'engine/cancelled') return { ...row, status: 'complete', finishReason: 'cancelled' }
  const status = error.code === 'engine/crashed' || error.code === 'app/closing' ? 'interrupted' : 'complete'
  return { ...row, status, finishReason: 'error', error }
}

function asError(log: Log, failure: unknown): ContractError {
  const known = contractErrorOf(failure)
  if (known !== null) return known
  log.error('a reply failed unexpectedly', { failure: failure instanceof Error ? (failure.stack ?? String(failure)) : String(failure) })
  const { code, message, details } = serviceError('app/internal', { name: 'chats.reply' })
  return { code, message, details }
}

/** Waits for `work`, but not beyond an abort: loading goes on without this reply. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(serviceError('engine/cancelled', {}))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
    aborted.catch(() => undefined)
    work.catch(() => undefined)
  }
}

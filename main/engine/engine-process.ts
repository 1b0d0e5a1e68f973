// The app's side of the engine process: forks it, matches answers to requests, restarts it when it dies and says why.
import type { EngineChild, EngineExit, Log } from '../host'
import { serviceError, ServiceError } from '../service-error'
import { countOutOfMemoryKills, exitReason } from './exit-reason'
import type { ExitReason } from './exit-reason'
import { isFromEngine } from './protocol'
import type { FromEngine, MethodTable } from './protocol'

/** A process that dies before its hello this often is not started again until the next request. */
const MAX_FAILED_STARTS = 3
/** Wait before start attempt n; the first restart is immediate. */
const RESTART_DELAY_MS = 500
/** How long a cancelled request may take to end before the process counts as hung: the plain binding cannot stop inside one forward pass. */
const CANCEL_GRACE_MS = 30_000
/** Last words kept of standard error. */
const MAX_STDERR_CHARS = 4_000

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (failure: unknown) => void
  readonly onEvent: (event: unknown) => void
}

/** What owners are told about the process itself. */
export interface EngineProcessListener {
  readonly started: () => void
  /** Everything that was running has been rejected with this error. */
  readonly crashed: (error: ServiceError) => void
}

/** One running request. */
export interface RequestOptions<E> {
  readonly onEvent?: (event: E) => void
  readonly signal?: AbortSignal
}

/** A process of the engine over its whole life: at most one child at a time. Dispose ends it. */
export class EngineProcess<T extends MethodTable<T>> implements Disposable {
  readonly #fork: () => EngineChild
  readonly #log: Log
  readonly #listener: EngineProcessListener
  readonly #restarts: boolean
  readonly #pending = new Map<number, Pending>()
  #child: EngineChild | null = null
  #nextId = 1
  #failedStarts = 0
  #closed = false
  #restart: NodeJS.Timeout | null = null

  constructor(options: {
    readonly fork: () => EngineChild
    readonly log: Log
    readonly listener: EngineProcessListener
    /** Whether a child that died is started again at once, instead of with the next request. */
    readonly restarts: boolean
  }) {
    this.#fork = options.fork
    this.#log = options.log
    this.#listener = options.listener
    this.#restarts = options.restarts
  }

  /** Process id of the living child. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the child unless it lives. */
  start(): void {
    if (this.#closed || this.#child !== null) return
    if (this.#restart !== null) clearTimeout(this.#restart)
    this.#restart = null
    try {
      this.#adopt(this.#fork())
    } catch (failure) {
      throw serviceError('engine/did-not-start', { reason: failure instanceof Error ? failure.message : String(failure) }, failure)
    }
  }

  /**
   * Asks the child for one thing, starting it when needed. Rejects with the engine's error, "engine/crashed" when the child dies first, "app/closing" after dispose.
   * An abort asks the child to stop; the promise settles when it has.
   */
  async request<M extends keyof T>(method: M, params: T[M]['params'], options: RequestOptions<T[M]['event']> = {}): Promise<T[M]['value']> {
    if (this.#closed) throw serviceError('app/closing', {})
    if (options.signal?.aborted === true) throw serviceError('engine/cancelled', {})
    this.start()
    const id = this.#nextId++
    const cancel = (): void => this.#cancel(id)
    options.signal?.addEventListener('abort', cancel, { once: true })
    try {
      const value = await new Promise<unknown>((resolve, reject) => {
        // The child sends what protocol.ts declares for this method.
        const onEvent = options.onEvent as ((event: unknown) => void) | undefined
        this.#pending.set(id, { resolve, reject, onEvent: onEvent ?? (() => undefined) })
        this.#child?.postMessage({ kind: 'request', id, method, params })
      })
      return value
    } finally {
      options.signal?.removeEventListener('abort', cancel)
      this.#pending.delete(id)
    }
  }

  /** Ends the child; what is running is rejected as cancelled. The next request starts another one. */
  stop(): void {
    this.#child?.kill()
    this.#child = null
    this.#rejectAll(serviceError('engine/cancelled', {}))
  }

  [Symbol.dispose](): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#restart !== null) clearTimeout(this.#restart)
    this.#child?.kill()
    this.#child = null
    this.#rejectAll(serviceError('app/closing', {}))
  }

  #adopt(child: EngineChild): void {
    this.#child = child
    const life = { lastWords: '', saidHello: false, killsAtStart: countOutOfMemoryKills() }
    child.onStderr((text) => {
      life.lastWords = (life.lastWords + text).slice(-MAX_STDERR_CHARS)
      this.#log.warn('engine process', { text: text.trimEnd() })
    })
    child.onMessage((message) => {
      if (child !== this.#child || !isFromEngine(message)) return
      if (message.kind === 'hello') {
        life.saidHello = true
        this.#failedStarts = 0
        this.#listener.started()
      } else this.#settle(message)
    })
    child.onExit((exit) => {
      if (child !== this.#child) return
      this.#child = null
      const reason = exitReason({ exit, lastWords: life.lastWords, outOfMemoryKills: countOutOfMemoryKills() - life.killsAtStart })
      if (!life.saidHello) this.#failedStarts += 1
      this.#lost(exit, { reason, lastWords: life.lastWords })
    })
  }

  #settle(message: Exclude<FromEngine, { readonly kind: 'hello' }>): void {
    const pending = this.#pending.get(message.id)
    if (pending === undefined) return
    if (message.kind === 'event') pending.onEvent(message.event)
    else if (message.kind === 'done') pending.resolve(message.value)
    else pending.reject(new ServiceError(message.error))
  }

  #cancel(id: number): void {
    const child = this.#child
    child?.postMessage({ kind: 'cancel', id })
    setTimeout(() => {
      if (child === null || child !== this.#child || !this.#pending.has(id)) return
      this.#child = null
      child.kill()
      this.#lost({ exitCode: null, signal: null }, { reason: 'unresponsive', lastWords: '' })
    }, CANCEL_GRACE_MS).unref()
  }

  #lost(exit: EngineExit, why: { readonly reason: ExitReason; readonly lastWords: string }): void {
    if (this.#closed) return
    const error = serviceError('engine/crashed', {
      reason: why.reason,
      signal: exit.signal,
      exitCode: exit.exitCode,
      lastWords: why.lastWords.slice(-500),
    })
    this.#log.error('the engine process ended', { ...error.details })
    this.#rejectAll(error)
    this.#listener.crashed(error)
    if (!this.#restarts) return
    if (this.#failedStarts >= MAX_FAILED_STARTS) {
      this.#log.error('the engine process does not start; the next request tries again', { attempts: this.#failedStarts })
      this.#failedStarts = MAX_FAILED_STARTS - 1
      return
    }
    this.#restart = setTimeout(() => this.#tryStart(), this.#failedStarts * RESTART_DELAY_MS)
  }

  #tryStart(): void {
    try {
      this.start()
    } catch (failure) {
      this.#log.error('the engine process could not be started', { failure: String(failure) })
    }
  }

  #rejectAll(error: ServiceError): void {
    const running = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of running) reject(error)
  }
}

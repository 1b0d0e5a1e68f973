// Threads that copy, read back and hash while this one goes on: hashing is most of the work of a conversion.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { engineError } from '../errors'
import { answerRangeTasks, type RangeAnswer, type RangeTask } from './range-worker'

/** More threads than this wait for the disk instead of for each other. */
const MAX_THREADS = 4

interface Waiting {
  readonly resolve: (answer: RangeAnswer) => void
  readonly reject: (error: Error) => void
}

/** One thread; its tasks are answered in the order they were given. */
export class RangeThread implements AsyncDisposable {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #failure: Error | null = null

  constructor() {
    this.#worker = new Worker(`(${answerRangeTasks.toString()})()`, { eval: true, name: 'weightroom-convert', execArgv: [] })
    this.#worker.on('message', (answer: RangeAnswer) => this.#waiting.shift()?.resolve(answer))
    this.#worker.on('error', (cause) => this.#fail(cause instanceof Error ? cause : new Error(String(cause))))
    this.#worker.on('exit', () => this.#fail(engineError('runtime/aborted', { what: 'A thread of the conversion' })))
  }

  /** Does one range. The buffers of `moved` go over to the thread and are empty here afterwards. */
  ask(task: RangeTask, moved: readonly ArrayBuffer[] = []): Promise<RangeAnswer> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage(task, moved)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

/** The threads of one conversion, started when first needed. Dispose ends them. */
export class RangeThreads implements AsyncDisposable {
  readonly #threads: RangeThread[] = []
  readonly #size = Math.min(MAX_THREADS, availableParallelism())

  /**
   * Runs `work` for every item, each thread with one item at a time. After a failure no new item is begun; it is thrown when all that
   * were begun have ended, so that nothing uses a file any more that the caller closes.
   */
  async forEach<T>(items: readonly T[], work: (item: T, thread: RangeThread) => Promise<void>): Promise<void> {
    const queue = items.values()
    let hasFailed = false
    const lanes = Array.from({ length: Math.min(this.#size, items.length) }, async (_, index) => {
      const thread = (this.#threads[index] ??= new RangeThread())
      try {
        for (const item of queue) {
          if (hasFailed) return
          await work(item, thread)
        }
      } catch (cause) {
        hasFailed = true
        throw cause
      }
    })
    await Promise.allSettled(lanes)
    await Promise.all(lanes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()))
  }
}

// A pool of quantizing workers: threads that read, quantize and write on their own, so that the event loop only hands out work.
import { Worker } from 'node:worker_threads'
import { kernelBytes } from '../tensor/nbits/kernel'
import { workerMain, type WorkerJob, type WorkerResult } from './worker-main'

/** Workers that take jobs in turn. Dispose ends them, in the middle of a job if need be. */
export interface WorkerPool extends AsyncDisposable {
  readonly size: number
  /** Runs a job on the next free worker. Bytes given along must have their buffer to themselves: they are moved, not copied. */
  readonly run: (job: WorkerJob) => Promise<WorkerResult>
}

interface Waiting {
  readonly job: WorkerJob
  readonly done: (result: WorkerResult) => void
  readonly failed: (cause: unknown) => void
}

/**
 * Starts `size` workers. Their program is handed over as text: a worker file would have to lie beside every bundle that the engine becomes part of.
 */
export function startWorkerPool(size: number): WorkerPool {
  const code = `(${workerMain.toString()})(require('node:worker_threads'), require('node:fs'), require('node:zlib'))`
  const workers = Array.from({ length: size }, () => new Worker(code, { eval: true, workerData: kernelBytes() }))
  const idle = [...workers]
  const queue: Waiting[] = []
  const running = new Map<Worker, Waiting>()

  const next = (): void => {
    for (let worker = idle.at(-1); worker !== undefined && queue.length > 0; worker = idle.at(-1)) {
      const waiting = queue.shift()
      if (waiting === undefined) return
      idle.pop()
      running.set(worker, waiting)
      const { job } = waiting
      const moved = 'bytes' in job.source ? [job.source.bytes.buffer] : []
      worker.postMessage(job, moved)
    }
  }
  for (const worker of workers) {
    worker.on('message', (result: WorkerResult) => {
      const waiting = running.get(worker)
      running.delete(worker)
      idle.push(worker)
      waiting?.done(result)
      next()
    })
    worker.on('error', (cause) => {
      running.get(worker)?.failed(cause)
      running.delete(worker)
      for (const waiting of queue.splice(0)) waiting.failed(cause)
    })
  }
  return {
    size,
    run: (job) =>
      new Promise((done, failed) => {
        queue.push({ job, done, failed })
        next()
      }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

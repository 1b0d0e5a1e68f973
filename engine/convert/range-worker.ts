// The thread of range-threads.ts: copies and proves byte ranges of the file being written. Its text is its program, so that no bundle, archive or test needs a file for it:
// nothing outside the function may be named in it but types and globals.

/** One range. `copy` writes it first; `check` only proves what lies in the target, which must be `bytes` where they are given. */
export type RangeTask =
  | (TargetRange & { readonly kind: 'copy'; readonly source: SourceRange })
  | (TargetRange & { readonly kind: 'check'; readonly bytes: Uint8Array | null })

/**
 * Ranges of a tensor come in ascending order and without gap, one tensor after the other; the last one is answered with the proof of the tensor.
 * `target` is a descriptor of this process, open for reading and, to copy, for writing. `crcSeed`: CRC-32 of what precedes the tensor in its
 * archive entry, null where the format has no checksums.
 */
interface TargetRange {
  readonly crcSeed: number | null
  readonly target: number
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly isFirst: boolean
  readonly isLast: boolean
}

/** `fileBytes` is the size that the file had when its header was read. */
interface SourceRange {
  readonly path: string
  readonly fileBytes: number
  readonly offsetBytes: number
}

/** The answer to one task. `reason` is the code of the failed system call. */
export type RangeAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'proof'; readonly sha256: string; readonly crc32: number }
  | { readonly kind: 'source-changed'; readonly sizeBytes: number }
  | { readonly kind: 'source-failed' | 'write-failed' | 'read-back-failed'; readonly reason: string }
  | { readonly kind: 'ends' | 'differs'; readonly offsetBytes: number }

/** Answers every task with one message, in order. The bytes it hashes are those that it read back from the target. */
export function answerRangeTasks(): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads')
  const { createHash } = process.getBuiltinModule('node:crypto')
  const { crc32 } = process.getBuiltinModule('node:zlib')
  const { constants, fstatSync, openSync, readSync, writeSync } = process.getBuiltinModule('node:fs')

  // A piece stays in the processor's cache from being read until it is hashed.
  const PIECE_BYTES = 256 * 1024
  const written = Buffer.alloc(PIECE_BYTES)
  const found = Buffer.alloc(PIECE_BYTES)
  const sources = new Map<string, number>()
  let hash = createHash('sha256')
  let crc = 0

  /** An answer that ends a task early. */
  class Failure extends Error {
    readonly answer: RangeAnswer
    constructor(answer: RangeAnswer) {
      super(answer.kind)
      this.answer = answer
    }
  }

  function attempt<T>(kind: 'source-failed' | 'write-failed' | 'read-back-failed', run: () => T): T {
    try {
      return run()
    } catch (cause) {
      throw new Failure({ kind, reason: cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause) })
    }
  }

  function openSource({ path, fileBytes }: SourceRange): number {
    const opened = sources.get(path)
    if (opened !== undefined) return opened
    const flags = process.platform === 'win32' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK
    const descriptor = attempt('source-failed', () => openSync(path, flags))
    sources.set(path, descriptor)
    const { size } = attempt('source-failed', () => fstatSync(descriptor))
    if (size !== fileBytes) throw new Failure({ kind: 'source-changed', sizeBytes: size })
    return descriptor
  }

  /** Fills `into`, or says how much there was. */
  function readFully(into: Buffer, from: { readonly descriptor: number; readonly offsetBytes: number }): number {
    for (let done = 0; done < into.length;) {
      const count = readSync(from.descriptor, into, done, into.length - done, from.offsetBytes + done)
      if (count === 0) return done
      done += count
    }
    return into.length
  }

  function copyPiece(piece: Buffer, task: RangeTask & { readonly kind: 'copy' }, done: number): void {
    const from = { descriptor: openSource(task.source), offsetBytes: task.source.offsetBytes + done }
    const got = attempt('source-failed', () => readFully(piece, from))
    if (got < piece.length) throw new Failure({ kind: 'source-changed', sizeBytes: from.offsetBytes + got })
    attempt('write-failed', () => {
      for (let at = 0; at < piece.length;) at += writeSync(task.target, piece, at, piece.length - at, task.offsetBytes + done + at)
    })
  }

  function provePiece(task: RangeTask, done: number): void {
    const length = Math.min(PIECE_BYTES, task.sizeBytes - done)
    const copied = written.subarray(0, length)
    if (task.kind === 'copy') copyPiece(copied, task, done)
    const expected = task.kind === 'copy' ? copied : (task.bytes?.subarray(done, done + length) ?? null)
    const offsetBytes = task.offsetBytes + done
    const piece = found.subarray(0, length)
    const got = attempt('read-back-failed', () => readFully(piece, { descriptor: task.target, offsetBytes }))
    if (got < length) throw new Failure({ kind: 'ends', offsetBytes: offsetBytes + got })
    if (expected !== null && Buffer.compare(piece, expected) !== 0) throw new Failure({ kind: 'differs', offsetBytes })
    hash.update(piece)
    if (task.crcSeed !== null) crc = crc32(piece, crc)
  }

  function answer(task: RangeTask): RangeAnswer {
    if (task.isFirst) {
      hash = createHash('sha256')
      crc = task.crcSeed ?? 0
    }
    for (let done = 0; done < task.sizeBytes; done += PIECE_BYTES) provePiece(task, done)
    return task.isLast ? { kind: 'proof', sha256: hash.digest('hex'), crc32: crc } : { kind: 'done' }
  }

  parentPort?.on('message', (task: RangeTask) => {
    try {
      parentPort.postMessage(answer(task))
    } catch (cause) {
      if (!(cause instanceof Failure)) throw cause
      parentPort.postMessage(cause.answer)
    }
  })
}

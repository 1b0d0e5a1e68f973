// Keys or values of one layer of an exported decoder: memory that grows in steps, shown to a run as the past it reads and the present it writes.
import type { CachePort } from '../../graph/export-border'
import type { OrtRuntime, OrtValue } from '../ort-types'

/** What a run reads and writes; whoever asked for it disposes `views` after the run. */
export interface CacheBinding {
  readonly past: OrtValue
  readonly present: OrtValue
  readonly views: readonly OrtValue[]
}

/** Memory of one cache port. Tokens that are valid lie where the last run wrote them. */
export interface CacheValues extends Disposable {
  readonly port: CachePort
  /** Tokens there is room for. */
  readonly roomTokens: () => number
  readonly sizeBytes: () => number
  /** Makes room for `roomTokens`, keeping the first `validTokens`. */
  readonly grow: (options: { readonly roomTokens: number; readonly validTokens: number }) => void
  readonly bind: (options: { readonly pastTokens: number; readonly totalTokens: number }) => CacheBinding
  /** The run that was bound last has written its present. */
  readonly advance: () => void
  /** Keeps the first `lengthTokens` of `validTokens`. */
  readonly cut: (options: { readonly lengthTokens: number; readonly validTokens: number }) => void
}

function rowBytesOf({ dtype, headDim }: CachePort): number {
  return dtype === 'F32' ? 4 * headDim : 2 * headDim
}

/** One buffer [1, heads, room, headDim] that is past and present at once. */
export function createInPlaceValues(runtime: OrtRuntime, port: CachePort): CacheValues {
  const { dtype, heads, headDim } = port
  const rowBytes = rowBytesOf(port)
  let buffer: OrtValue | null = null
  const room = (): number => buffer?.shape[2] ?? 0
  return {
    port,
    roomTokens: room,
    sizeBytes: () => buffer?.bytes.length ?? 0,
    grow: ({ roomTokens, validTokens }) => {
      const old = buffer
      const larger = runtime.allocate({ dtype, shape: [1, heads, roomTokens, headDim] })
      for (let head = 0; old !== null && head < heads; head++) {
        const start = head * room() * rowBytes
        larger.bytes.set(old.bytes.subarray(start, start + validTokens * rowBytes), head * roomTokens * rowBytes)
      }
      buffer = larger
      old?.[Symbol.dispose]()
    },
    bind: () => {
      const value = (buffer ??= runtime.allocate({ dtype, shape: [1, heads, 0, headDim] }))
      return { past: value, present: value, views: [] }
    },
    advance: () => undefined,
    // What lies behind the valid tokens is never looked at.
    cut: () => undefined,
    [Symbol.dispose]: () => buffer?.[Symbol.dispose](),
  }
}

/** Two memories that take turns: the past lies packed in one, [1, heads, past, headDim], and the present is written into the other. */
export function createJoinedValues(runtime: OrtRuntime, port: CachePort): CacheValues {
  const { dtype, heads, headDim } = port
  const tokenBytes = heads * rowBytesOf(port)
  const allocate = (tokens: number): OrtValue => runtime.allocate({ dtype: 'U8', shape: [tokens * tokenBytes] })
  /** The past, and where the next present goes. */
  let memories: readonly [OrtValue, OrtValue] = [allocate(0), allocate(0)]
  let room = 0
  const dispose = (): void => {
    for (const memory of memories) memory[Symbol.dispose]()
  }
  const grow: CacheValues['grow'] = ({ roomTokens, validTokens }) => {
    const past = allocate(roomTokens)
    const next = allocate(roomTokens)
    past.bytes.set(memories[0].bytes.subarray(0, validTokens * tokenBytes))
    dispose()
    memories = [past, next]
    room = roomTokens
  }
  return {
    port,
    roomTokens: () => room,
    sizeBytes: () => memories[0].bytes.length + memories[1].bytes.length,
    grow,
    bind: ({ pastTokens, totalTokens }) => {
      const from = runtime.view(memories[0], { dtype, shape: [1, heads, pastTokens, headDim] })
      const to = runtime.view(memories[1], { dtype, shape: [1, heads, totalTokens, headDim] })
      return { past: from, present: to, views: [from, to] }
    },
    advance: () => {
      memories = [memories[1], memories[0]]
    },
    cut: ({ lengthTokens, validTokens }) => {
      const { bytes } = memories[0]
      const rowBytes = rowBytesOf(port)
      for (let head = 1; head < heads; head++) {
        const start = head * validTokens * rowBytes
        bytes.copyWithin(head * lengthTokens * rowBytes, start, start + lengthTokens * rowBytes)
      }
    },
    [Symbol.dispose]: dispose,
  }
}

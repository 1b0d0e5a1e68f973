// The cache of one sequence of an exported decoder: its ids, and its keys and values where the graph keeps any.
import type { ExportBorder } from '../../graph/export-border'
import { engineError } from '../../errors'
import { grownCapacity } from '../kv-cache'
import type { KvCache } from '../model-types'
import type { OrtRuntime } from '../ort-types'
import { createInPlaceValues, createJoinedValues, type CacheBinding, type CacheValues } from './cache-values'

/** Ids, keys and values of one sequence. `capacityTokens` is the limit; memory is taken as the sequence grows. */
export class ExportedCache implements KvCache {
  readonly capacityTokens: number
  #values: readonly CacheValues[]
  #ids: number[] = []
  #disposed = false

  constructor(options: { readonly runtime: OrtRuntime; readonly border: ExportBorder; readonly capacityTokens: number }) {
    const { runtime, border, capacityTokens } = options
    const create = border.cacheKind === 'in-place' ? createInPlaceValues : createJoinedValues
    this.capacityTokens = capacityTokens
    this.#values = border.cache.map((port) => create(runtime, port))
  }

  get lengthTokens(): number {
    return this.#ids.length
  }

  get ids(): readonly number[] {
    return this.#ids
  }

  /** Bytes allocated now. */
  get sizeBytes(): number {
    return this.#values.reduce((sum, values) => sum + values.sizeBytes(), 0)
  }

  readonly truncate = (lengthTokens: number): void => {
    const validTokens = this.#ids.length
    if (!Number.isInteger(lengthTokens) || lengthTokens < 0 || lengthTokens > validTokens) {
      throw engineError('runtime/cache-length', { asked: lengthTokens, present: validTokens })
    }
    if (lengthTokens === validTokens) return
    for (const values of this.#values) values.cut({ lengthTokens, validTokens })
    this.#ids.length = lengthTokens
  }

  /** Makes room for `neededTokens` tokens. Throws "runtime/context-overflow" above the limit, "runtime/disposed". */
  reserve(neededTokens: number): void {
    if (this.#disposed) throw engineError('runtime/disposed', { what: 'A KV cache' })
    const limitTokens = this.capacityTokens
    if (neededTokens > limitTokens) throw engineError('runtime/context-overflow', { neededTokens, contextLength: limitTokens })
    for (const values of this.#values) {
      const presentTokens = values.roomTokens()
      if (neededTokens <= presentTokens) continue
      values.grow({ roomTokens: grownCapacity({ presentTokens, neededTokens, limitTokens }), validTokens: this.#ids.length })
    }
  }

  /** Past and present of every port for a run that appends `newTokens`. */
  bind(newTokens: number): readonly (CacheBinding & { readonly port: CacheValues['port'] })[] {
    const pastTokens = this.#ids.length
    return this.#values.map((values) => ({ port: values.port, ...values.bind({ pastTokens, totalTokens: pastTokens + newTokens }) }))
  }

  /** Declares what the bound run wrote valid. */
  append(ids: readonly number[]): void {
    for (const values of this.#values) values.advance()
    for (const id of ids) this.#ids.push(id)
  }

  /** Exchanges contents with a cache that holds the same sequence and more. */
  takeOver(other: ExportedCache): void {
    const [values, ids] = [this.#values, this.#ids]
    this.#values = other.#values
    this.#ids = other.#ids
    other.#values = values
    other.#ids = ids
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const values of this.#values) values[Symbol.dispose]()
    this.#ids.length = 0
  }
}

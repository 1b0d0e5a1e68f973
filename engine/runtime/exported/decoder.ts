// An exported ONNX decoder: the same passes as our own graphs, over a graph that somebody else wrote.
import type { ModelFacts } from '../../config/model-facts'
import { engineError } from '../../errors'
import type { ExportBorder } from '../../graph/export-border'
import { decodeFloat32 } from '../../tensor/decode'
import { checkIds, checkLogitsSize } from '../forward-checks'
import type { DecoderModel, KvCache, LogitsRequest } from '../model-types'
import type { LoadedDecoder } from '../decoder-model'
import type { OrtRuntime, OrtSession, OrtValue } from '../ort-types'
import { ExportedCache } from './cache'
import { makeInputs } from './inputs'

/** What an exported decoder is made of; it owns the session. */
export interface ExportedParts {
  readonly facts: ModelFacts
  readonly border: ExportBorder
  readonly runtime: OrtRuntime
  readonly session: OrtSession
  readonly weightBytes: number
  readonly notes: readonly string[]
  readonly prefillChunkTokens: number
}

type ForwardOptions = Parameters<DecoderModel['forward']>[0]

/** A graph whose branch with a past takes single tokens only is fed one by one up to this many; beyond, running the whole sequence anew is faster. */
const MAX_SINGLE_STEPS = 4
const NO_LOGITS = new Float32Array(0)

/** A decoder over ONNX Runtime. Passes take turns; disposing it takes effect when those already asked for have ended. */
export class ExportedDecoder implements LoadedDecoder {
  readonly format = null
  readonly config: ModelFacts
  readonly runtimeKind: OrtRuntime['kind']
  readonly weightBytes: number
  readonly notes: readonly string[]
  readonly wholePrompt: boolean
  readonly #parts: ExportedParts
  #lastTurn: Promise<void> = Promise.resolve()
  #disposed = false

  constructor(parts: ExportedParts) {
    this.config = parts.facts
    this.runtimeKind = parts.runtime.kind
    this.weightBytes = parts.weightBytes
    this.notes = parts.notes
    this.wholePrompt = parts.border.wholePrompt
    this.#parts = parts
  }

  readonly createCache = (options: { readonly capacityTokens: number }): KvCache => {
    const { runtime, border } = this.#parts
    return new ExportedCache({ runtime, border, capacityTokens: options.capacityTokens })
  }

  readonly forward = async (options: ForwardOptions): Promise<Float32Array> => {
    if (this.#disposed) throw engineError('runtime/disposed', { what: 'A model' })
    const turn = this.#lastTurn.then(() => this.#forward(options))
    this.#lastTurn = turn.then(ignore, ignore)
    return await turn
  };

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    void this.#lastTurn.then(() => this.#parts.session[Symbol.dispose]())
  }

  async #forward({ ids, cache, logits, signal }: ForwardOptions): Promise<Float32Array> {
    if (!(cache instanceof ExportedCache)) throw engineError('runtime/foreign-value', { name: 'cache' })
    const { vocabSize } = this.config
    checkIds(ids, vocabSize)
    const rows = logits === 'all' ? ids.length : logits === 'last' ? 1 : 0
    checkLogitsSize(rows, vocabSize)
    const start = cache.lengthTokens
    cache.reserve(start + ids.length)
    const out = rows === 0 ? NO_LOGITS : new Float32Array(rows * vocabSize)
    try {
      if (this.#parts.border.cacheKind === 'none') await this.#runWithoutCache(cache, { ids, logits, signal, out })
      else await this.#runInChunks(cache, { ids, logits, signal, out })
    } catch (error) {
      // A cache that has been disposed meanwhile holds nothing to cut.
      if (cache.lengthTokens > start) cache.truncate(start)
      throw error
    }
    return out
  }

  /** Every pass computes the whole sequence; a pass that needs no scores only remembers its ids. */
  async #runWithoutCache(cache: ExportedCache, pass: Pass): Promise<void> {
    const { ids, logits, signal, out } = pass
    const all = [...cache.ids, ...ids]
    if (logits !== 'none') await this.#run(cache, { ids: all, pastTokens: 0, rows: logits === 'all' ? ids.length : 1, signal, out })
    cache.append(ids)
  }

  async #runInChunks(cache: ExportedCache, pass: Pass): Promise<void> {
    const { wholePrompt } = this.#parts.border
    const start = cache.lengthTokens
    if (wholePrompt && start > 0 && pass.ids.length > MAX_SINGLE_STEPS) {
      await this.#runAnew(cache, pass)
      return
    }
    const onlyLast = pass.logits === 'all' && this.#parts.border.lastLogitsOnly
    const whole = wholePrompt && start === 0 ? pass.ids.length : 1
    const size = onlyLast ? 1 : wholePrompt ? whole : this.#parts.prefillChunkTokens
    let { out } = pass
    for (let done = 0; done < pass.ids.length; done += size) {
      const ids = pass.ids.slice(done, done + size)
      const last = done + ids.length >= pass.ids.length
      const rows = pass.logits === 'all' ? ids.length : pass.logits === 'last' && last ? 1 : 0
      await this.#run(cache, { ids, pastTokens: cache.lengthTokens, rows, signal: pass.signal, out })
      cache.append(ids)
      out = out.subarray(rows * this.config.vocabSize)
    }
  }

  /** Runs earlier and new ids together from an empty cache; on failure the earlier ids must be computed again by the caller's next pass. */
  async #runAnew(cache: ExportedCache, pass: Pass): Promise<void> {
    const all = [...cache.ids, ...pass.ids]
    const rows = pass.logits === 'all' ? pass.ids.length : pass.logits === 'last' ? 1 : 0
    using fresh = new ExportedCache({ runtime: this.#parts.runtime, border: this.#parts.border, capacityTokens: cache.capacityTokens })
    fresh.reserve(all.length)
    await this.#run(fresh, { ids: all, pastTokens: 0, rows, signal: pass.signal, out: pass.out })
    fresh.append(all)
    cache.takeOver(fresh)
  }

  /** One run of the graph; the scores of its last `rows` positions go to the beginning of `out`. */
  async #run(cache: ExportedCache, run: Run): Promise<void> {
    const { runtime, border, session } = this.#parts
    const { ids, pastTokens, rows, signal, out } = run
    const inputs = makeInputs(runtime, border, { ids, pastTokens, allLogits: rows > 1 })
    const temporary: OrtValue[] = Object.values(inputs)
    const outputs: Record<string, OrtValue | null> = rows === 0 ? {} : { [border.logits.name]: null }
    try {
      for (const { port, past, present, views } of cache.bind(ids.length)) {
        inputs[port.name] = past
        outputs[port.present] = present
        temporary.push(...views)
      }
      const results = await session.run({ inputs, outputs, ...(signal && { signal }) })
      temporary.push(...Object.values(results))
      const scores = results[border.logits.name]
      if (rows > 0 && scores !== undefined) this.#copyLogits(scores, { rows, out })
    } finally {
      for (const value of temporary) value[Symbol.dispose]()
    }
  }

  #copyLogits(scores: OrtValue, { rows, out }: { readonly rows: number; readonly out: Float32Array }): void {
    const { vocabSize } = this.config
    const found = scores.shape[1] ?? 0
    if (scores.shape.length !== 3 || found < rows || scores.shape[2] !== vocabSize)
      throw engineError('runtime/export-logits', { found: scores.shape, rows, vocabSize })
    const rowBytes = scores.bytes.byteLength / found
    const wanted = scores.bytes.subarray((found - rows) * rowBytes)
    const { buffer, byteOffset } = wanted
    out.set(scores.dtype === 'F32' ? new Float32Array(buffer, byteOffset, rows * vocabSize) : decodeFloat32(wanted, scores.dtype))
  }
}

interface Pass {
  readonly ids: readonly number[]
  readonly logits: LogitsRequest
  readonly signal: AbortSignal | undefined
  readonly out: Float32Array
}

interface Run {
  readonly ids: readonly number[]
  readonly pastTokens: number
  readonly rows: number
  readonly signal: AbortSignal | undefined
  readonly out: Float32Array
}

function ignore(): void {
  // A pass's failure belongs to its own caller; the next one only waits for its end.
}

// The cos and sin tables as runtime values: as long as the longest sequence so far, not as the context window.
import type { RopeConfig } from '../config/decoder-config'
import { ropeDependsOnLength, ropeFrequencies, type RopeFrequencies } from '../graph/rope/frequencies'
import { writeRopeRows } from '../graph/rope/tables'
import type { OrtRuntime, OrtValue } from './ort-types'

/** Which positions a pass rotates, and the length of the sequence it belongs to. */
export interface RopePass {
  readonly firstPosition: number
  readonly endPosition: number
  /** At least `endPosition`; only frequencies that depend on the length look at it. */
  readonly sequenceTokens: number
}

interface Tables {
  readonly cos: OrtValue
  readonly sin: OrtValue
}

const STEP_POSITIONS = 256
const GROWTH = 1.5

function floats(value: OrtValue): Float32Array {
  return new Float32Array(value.bytes.buffer, value.bytes.byteOffset, value.bytes.byteLength / 4)
}

/** Rotary tables [positions, rope.dim / 2] F32, shared by all sequences of a model. */
export class RopeCache implements Disposable {
  readonly #runtime: OrtRuntime
  readonly #rope: RopeConfig
  #tables: Tables | null = null
  #frequencies: RopeFrequencies | null = null
  #writtenPositions = 0

  constructor(options: { readonly runtime: OrtRuntime; readonly rope: RopeConfig }) {
    this.#runtime = options.runtime
    this.#rope = options.rope
  }

  /**
   * Returns tables whose rows are right for a pass, valid until the next call. Where frequencies depend on the sequence length, only the rows of the pass are:
   * earlier keys keep the rotation they were stored with, as in Transformers.
   */
  prepare(pass: RopePass): Tables {
    const tables = this.#reserve(pass.endPosition)
    const views = { cos: floats(tables.cos), sin: floats(tables.sin) }
    if (ropeDependsOnLength(this.#rope)) {
      writeRopeRows(views, ropeFrequencies(this.#rope, pass.sequenceTokens), pass)
    } else if (pass.endPosition > this.#writtenPositions) {
      const { endPosition } = pass
      this.#frequencies ??= ropeFrequencies(this.#rope, endPosition)
      writeRopeRows(views, this.#frequencies, { firstPosition: this.#writtenPositions, endPosition })
      this.#writtenPositions = endPosition
    }
    return tables
  }

  [Symbol.dispose](): void {
    this.#tables?.cos[Symbol.dispose]()
    this.#tables?.sin[Symbol.dispose]()
    this.#tables = null
  }

  #reserve(positions: number): Tables {
    const present = this.#tables?.cos.shape[0] ?? 0
    if (this.#tables !== null && positions <= present) return this.#tables
    const rows = Math.ceil(Math.max(positions, present * GROWTH) / STEP_POSITIONS) * STEP_POSITIONS
    const shape = [rows, this.#rope.dim / 2]
    const cos = this.#runtime.allocate({ dtype: 'F32', shape })
    const sin = this.#runtime.allocate({ dtype: 'F32', shape })
    if (this.#tables !== null) {
      cos.bytes.set(this.#tables.cos.bytes)
      sin.bytes.set(this.#tables.sin.bytes)
    }
    this[Symbol.dispose]()
    this.#tables = { cos, sin }
    return this.#tables
  }
}

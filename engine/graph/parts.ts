// What every part of one decoder graph is added to and read from.
import type { DecoderConfig } from '../config/decoder-config'
import type { GraphBuilder } from './builder'
import type { WeightStore } from './weights'

/** A graph under construction and its weights. */
export interface Graph {
  readonly builder: GraphBuilder
  readonly weights: WeightStore
}

/** Graph inputs that attention reads; those that a decoder does not need are null. */
export interface DecoderInputs {
  readonly inputIds: string
  readonly logitsRows: string
  readonly seqlensK: string
  readonly totalSequenceLength: string
  /** By index of the config's `ropes`. */
  readonly ropes: readonly { readonly cos: string; readonly sin: string }[]
  readonly positionOffset: string | null
  /** [1, heads, rows, total] F32: added to scaled scores. */
  readonly attentionBias: string | null
  /** [rows, 1] F32: queries are multiplied with it. */
  readonly queryScale: string | null
}

/** One decoder's graph. `prefix` is the folder of the body in this checkpoint. */
export interface Parts extends Graph {
  readonly config: DecoderConfig
  readonly prefix: string
  readonly inputs: DecoderInputs
}

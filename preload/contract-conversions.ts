// Conversions in the contract: the order, what it will do, the queue, and what was proven of a result.
import * as v from 'valibot'
import { integer, path, text } from './contract-entries'
import type { ContractError, Remark } from './contract-entries'

/** Fields of a config.json that are asked for are a dozen. */
const MAX_SETTINGS = 100

/** What to convert into what. `out` null asks for a good place beside the source. */
export const conversionOrderSchema = v.strictObject({
  source: path,
  to: text(32),
  out: v.nullable(path),
  /** null keeps each tensor's own. */
  dtype: v.nullable(v.picklist(['F64', 'F32', 'F16', 'BF16'])),
  maxShardBytes: v.nullable(integer(1, Number.MAX_SAFE_INTEGER)),
  /** null: the format's own way to keep names; 'wrappers' takes off what DataParallel and torch.compile add. */
  stripPrefix: v.nullable(v.union([v.literal('wrappers'), v.strictObject({ prefix: text(1000) })])),
  /** Maps a custom state dict onto a family, or onto the likeliest: 'auto'. null keeps all names. */
  family: v.nullable(text(64)),
  /** The tokenizer's folder, where it does not lie beside the weights. */
  tokenizer: v.optional(v.nullable(path)),
  /** The person's answers for fields of config.json. */
  settings: v.pipe(v.record(text(100), v.nullable(v.union([text(1000), v.number(), v.boolean()]))), v.maxEntries(MAX_SETTINGS)),
  quantize: v.nullable(v.picklist(['q8', 'q4'])),
  /** Of a training checkpoint; null is its model. */
  include: v.nullable(v.picklist(['model', 'optimizer'])),
  force: v.boolean(),
})
export type ConversionOrder = v.InferOutput<typeof conversionOrderSchema>

/** Something of the source that the result does not hold, and why: an entry of the metadata that the format has no place for, or a tensor that the result can do without. */
interface LeftBehind {
  readonly name: string
  readonly why: 'metadata' | 'table' | 'tied'
}

/** Everything that will happen, before anything is written. Bytes throughout. */
export interface ConversionPreview {
  readonly source: { readonly path: string; readonly format: string; readonly files: number; readonly tensorBytes: number }
  readonly to: string
  readonly out: string
  readonly kind: 'folder' | 'file'
  readonly outputs: readonly { readonly file: string; readonly sizeBytes: number; readonly tensors: number }[]
  readonly companions: readonly { readonly file: string; readonly sizeBytes: number }[]
  readonly tensors: number
  readonly neededBytes: number
  readonly freeBytes: number
  readonly dtypeChanges: readonly DtypeChange[]
  readonly family: FamilyMapping | null
  /** Families that the source could be mapped onto, the likeliest first. */
  readonly candidates: readonly string[]
  readonly tied: readonly (readonly string[])[]
  readonly dropped: readonly LeftBehind[]
  readonly replaced: readonly string[]
  readonly notes: readonly Remark[]
  /** The first names that change. */
  readonly renamed: readonly { readonly from: string; readonly to: string }[]
  readonly renamedCount: number
}

/** A field of the config.json to be written. A 'guess' is what a person should confirm: the files do not say it. */
export interface ConfigField {
  readonly name: string
  readonly value: string | number | boolean | null
  readonly origin: 'file' | 'shape' | 'guess' | 'answer'
  readonly reason: Remark
}

/** A custom state dict mapped onto a family. With any `unmapped` tensor the conversion is refused; counts go beyond what is listed. */
export interface FamilyMapping {
  readonly name: string
  readonly modelType: string
  readonly layout: string
  readonly prefix: string
  readonly mapped: number
  readonly unmapped: readonly string[]
  readonly unmappedCount: number
  readonly config: readonly ConfigField[]
}

/** How far the logits of result and source are from each other on the same prompt. */
interface LogitsProof {
  readonly positions: number
  readonly maxAbsError: number
  readonly logitStd: number
  readonly sameGreedy: boolean
}

/** Tensors that change their dtype in the same way. */
interface DtypeChange {
  readonly from: string
  readonly to: string
  readonly tensors: number
  readonly exact: boolean
  readonly reason: 'asked' | 'format'
}

/** The proof of a finished conversion, without its tensors. */
export interface ConversionProof {
  readonly out: string
  readonly files: readonly { readonly file: string; readonly sizeBytes: number; readonly tensors: number; readonly reused: boolean }[]
  readonly companions: readonly string[]
  readonly totals: {
    readonly tensors: number
    readonly parameters: number
    readonly tensorBytes: number
    readonly fileBytes: number
    readonly identicalTensors: number
    readonly maxAbsError: number
    readonly overflowed: number
    readonly flushedToZero: number
  }
  readonly dtypeChanges: readonly DtypeChange[]
  readonly family: FamilyMapping | null
  /** null where source or result cannot be run. */
  readonly logits: LogitsProof | null
  readonly dropped: readonly LeftBehind[]
  readonly notes: readonly Remark[]
  /** The tensors with the largest loss, worst first, then in the order of the files; the rest is counted. */
  readonly tensors: readonly {
    readonly name: string
    readonly dtype: string
    readonly shape: readonly number[]
    readonly sha256: string
    readonly maxAbsError: number
  }[]
}

/** One conversion of the queue. 'interrupted': Weightroom ended while it ran or waited; it can go on. */
export interface ConversionJob {
  readonly id: string
  readonly order: ConversionOrder & { readonly out: string }
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted'
  readonly createdAtMs: number
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  readonly progress: {
    readonly file: string | null
    readonly doneBytes: number
    readonly totalBytes: number
    readonly bytesPerSecond: number | null
    readonly leftMs: number | null
  }
  readonly proof: ConversionProof | null
  readonly error: ContractError | null
}

export type ConversionsEvent =
  | { readonly type: 'all'; readonly jobs: readonly ConversionJob[] }
  | { readonly type: 'changed'; readonly job: ConversionJob }
  | { readonly type: 'removed'; readonly jobIds: readonly string[] }

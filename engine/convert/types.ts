// What a conversion is asked for, plans, reports while it runs, and proves at the end.
import type { OutputFormat } from '../checkpoint/writers/formats'
import type { CheckpointFormat } from '../checkpoint/types'
import type { Dtype } from '../tensor/dtype'
import type { CastLoss, CastTarget } from './cast'

/** What to convert into what. `source` is a model folder, a weight file or a shard index; `out` a folder, or a file where it ends like one of the format. */
export interface ConversionRequest {
  readonly source: string
  readonly to: OutputFormat
  readonly out: string
  /** Floating-point tensors are cast to this. */
  readonly dtype?: CastTarget
  /** 'wrappers' removes what DataParallel and torch.compile put in front of every name; a text is removed where a name starts with it. */
  readonly stripPrefix?: 'wrappers' | { readonly prefix: string }
  /** Most tensor bytes in one file, where the format has shards. */
  readonly maxShardBytes?: number
  /** A config.json to put beside the weights instead of the source's own. */
  readonly config?: string
  /** Replaces files of an earlier result. The source is never replaced. */
  readonly force?: boolean
  readonly signal?: AbortSignal
}

/** One tensor's way: `sourceName` in the source, `name` and `dtype` in the result. */
export interface PlannedTensor {
  readonly sourceName: string
  readonly name: string
  readonly aliases: readonly string[]
  readonly sourceDtype: Dtype
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly sizeBytes: number
}

/** Tensors that change their dtype in the same way. `reason` says whether that was asked for or the format needs it. */
export interface DtypeChange {
  readonly from: Dtype
  readonly to: CastTarget
  readonly tensors: number
  readonly exact: boolean
  readonly reason: 'asked' | 'format'
}

/** Everything that will happen, before anything is written. Sizes in bytes; `neededBytes` is what the disk must hold at once. */
export interface ConversionPlan {
  readonly source: {
    readonly path: string
    readonly format: CheckpointFormat
    readonly files: readonly string[]
    readonly tensorBytes: number
  }
  readonly to: OutputFormat
  readonly out: string
  readonly kind: 'folder' | 'file'
  readonly outputs: readonly { readonly file: string; readonly sizeBytes: number; readonly tensors: number }[]
  /** Files copied as they are. */
  readonly companions: readonly { readonly file: string; readonly sizeBytes: number }[]
  readonly tensors: readonly PlannedTensor[]
  readonly neededBytes: number
  readonly freeBytes: number
  readonly dtypeChanges: readonly DtypeChange[]
  /** Names of the same bytes, the written one first. */
  readonly tied: readonly (readonly string[])[]
  readonly dropped: readonly string[]
  /** Files of an earlier result that go away. */
  readonly replaced: readonly string[]
  readonly notes: readonly string[]
}

/** What is reported while it runs. Bytes count what was written and verified. */
export type ConversionEvent =
  | { readonly type: 'plan'; readonly plan: ConversionPlan }
  | { readonly type: 'progress'; readonly file: string; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly type: 'file-verified'; readonly file: string; readonly reused: boolean }

/** The proof for one tensor: the SHA-256 of its bytes as read back from the result, and the loss against the source. */
export interface VerifiedTensor extends PlannedTensor, CastLoss {
  readonly file: string
  readonly sha256: string
}

/** The result, verified. */
export interface ConversionReport {
  readonly source: ConversionPlan['source']
  readonly to: OutputFormat
  readonly out: string
  /** `reused`: verified by an earlier run that was interrupted, and checked again. */
  readonly files: readonly { readonly file: string; readonly sizeBytes: number; readonly tensors: number; readonly reused: boolean }[]
  readonly companions: readonly string[]
  readonly tensors: readonly VerifiedTensor[]
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
  readonly dtypeChanges: ConversionPlan['dtypeChanges']
  readonly tied: ConversionPlan['tied']
  readonly dropped: readonly string[]
  readonly notes: readonly string[]
}

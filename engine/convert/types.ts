// What a conversion is asked for, plans, reports while it runs, and proves at the end.
import type { OutputFormat } from '../checkpoint/writers/formats'
import type { CheckpointFormat } from '../checkpoint/types'
import type { StoredDtype } from '../checkpoint/writers/file-layout'
import type { BlockTarget } from '../tensor/blocks/quantize'
import type { Dtype } from '../tensor/dtype'
import type { CastLoss, CastTarget } from './cast'
import type { Note } from '../notes'

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
  /** The tokenizer's folder (or a file in it), where it does not lie beside the weights. */
  readonly tokenizer?: string
  /** Maps a custom state dict onto this family (a model_type such as 'llama'), or onto the one that fits: 'auto'. Without it all names stay. */
  readonly family?: string
  /** The person's answers for fields of config.json, by their names there; they win over what the files say. */
  readonly settings?: Readonly<Record<string, ConfigValue>>
  /** Of a training checkpoint: its model, or the optimizer's state beside it. */
  readonly include?: 'model' | 'optimizer'
  /** Matrices become blocks of 32 numbers with a scale, where the format has such blocks. */
  readonly quantize?: 'q8' | 'q4'
  /** Replaces files of an earlier result. The source is never replaced. */
  readonly force?: boolean
  /** Whether to wait until everything has reached the disk, which is the default: without it a loss of power, though not of the process, may cost the result. */
  readonly sync?: boolean
  readonly signal?: AbortSignal
}

/** What a field of config.json can hold here. */
export type ConfigValue = string | number | boolean | null

/** Why a field has its value: a stable code with what belongs into its sentence, and the sentence in English. */
export interface ConfigReason {
  readonly code: string
  readonly data: Readonly<Record<string, string | number>>
  readonly text: string
}

/** A field of the config.json to be written. `guess` is what a person should confirm: the files do not say it. */
export interface PlannedConfigField {
  readonly name: string
  readonly value: ConfigValue
  readonly origin: 'file' | 'shape' | 'guess' | 'answer'
  readonly reason: ConfigReason
}

/** A custom state dict mapped onto a family. `layout` names the naming that was recognised; `prefix` is what was in front of every name. */
export interface FamilyPlan {
  readonly name: string
  readonly modelType: string
  readonly layout: string
  readonly prefix: string
  /** Tensors of the source that have their place in the family. */
  readonly mapped: number
  /** Tensors of the source that have none; with any of them the conversion is refused. */
  readonly unmapped: readonly string[]
  /** Tensors of the source that the family does not need: masks, tables of rotation. */
  readonly dropped: readonly string[]
  readonly config: readonly PlannedConfigField[]
}

/** One tensor's way: `sourceName` in the source, `name` and `dtype` in the result. */
export interface PlannedTensor {
  readonly sourceName: string
  readonly name: string
  readonly aliases: readonly string[]
  readonly sourceDtype: Dtype
  readonly dtype: StoredDtype
  readonly shape: readonly number[]
  readonly sizeBytes: number
}

/** Tensors that change their dtype in the same way. `reason` says whether that was asked for or the format needs it. */
export interface DtypeChange {
  readonly from: Dtype
  readonly to: CastTarget | BlockTarget
  readonly tensors: number
  readonly exact: boolean
  readonly reason: 'asked' | 'format'
}

/** Something of the source that the result does not hold: 'metadata' that the format has no place for, a 'table' that follows from the configuration, a head that is 'tied' to the embedding. */
export interface LeftBehind {
  readonly name: string
  readonly why: 'metadata' | 'table' | 'tied'
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
  /** Files that are made: configuration, index. */
  readonly generated: readonly { readonly file: string; readonly sizeBytes: number }[]
  readonly tensors: readonly PlannedTensor[]
  readonly neededBytes: number
  readonly freeBytes: number
  readonly dtypeChanges: readonly DtypeChange[]
  /** What a mapping onto a family does; null when names stay as they are. */
  readonly family: FamilyPlan | null
  /** Families that the source could be mapped onto, the likeliest first. */
  readonly candidates: readonly string[]
  /** Names of the same bytes, the written one first. */
  readonly tied: readonly (readonly string[])[]
  readonly dropped: readonly LeftBehind[]
  /** Files of an earlier result that go away. */
  readonly replaced: readonly string[]
  readonly notes: readonly Note[]
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

/** How far the result's logits are from the source's: the largest difference and, to weigh it, the standard deviation of the source's logits. */
export interface LogitsComparison {
  readonly promptIds: readonly number[]
  readonly maxAbsError: number
  readonly logitStd: number
  /** Whether the likeliest token is the same at every position. */
  readonly sameGreedy: boolean
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
  readonly family: FamilyPlan | null
  /** Logits of source and result on the same ids; null where either cannot be run. */
  readonly logits: LogitsComparison | null
  readonly tied: ConversionPlan['tied']
  readonly dropped: readonly LeftBehind[]
  readonly notes: readonly Note[]
}

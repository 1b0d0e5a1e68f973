// The part of the contract that looks into checkpoints and converts them: inspecting, browsing this machine, uploading, and the calls of conversions.
import * as v from 'valibot'
import { conversionOrderSchema } from './contract-conversions'
import type { ConversionJob, ConversionPreview, ConversionsEvent } from './contract-conversions'
import { call, id, integer, nothing, path, stream, text } from './contract-entries'
import type { ContractError, Remark } from './contract-entries'

// ---- looking into a checkpoint --------------------------------------------------------------------------------------------

/** What a checkpoint is, from headers and configuration. Bytes throughout; null where the files do not say. */
export interface CheckpointSummary {
  /** What was looked at: a folder, a weight file or a shard index. */
  readonly path: string
  readonly name: string
  readonly kind: 'folder' | 'file'
  readonly format: string
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[]
  readonly fileBytes: number
  readonly tensorCount: number
  readonly parameterCount: number
  readonly weightBytes: number
  readonly dtypes: readonly { readonly dtype: string; readonly tensors: number; readonly sizeBytes: number }[]
  readonly modelType: string | null
  /** The decoder's shape in the config's own words, where the family is supported. */
  readonly facts: readonly { readonly name: string; readonly value: string }[]
  /** config.json as text, indented; shortened where it is very long. */
  readonly config: string | null
  readonly tokenizer: { readonly files: readonly string[]; readonly complete: boolean } | null
  readonly metadata: readonly { readonly name: string; readonly value: string }[]
  readonly notes: readonly Remark[]
  /** Where a chat could run it: the folder itself, or the one that the file lies in. `problem` says why it cannot. */
  readonly model: {
    readonly path: string
    readonly state: 'ready' | 'unsupported' | 'incomplete' | 'broken'
    readonly problem: ContractError | null
  } | null
  /** The folder around a single file where that is a whole model of its own. */
  readonly aroundPath: string | null
  readonly shardMap: ShardMap
  /** What it can be converted into. */
  readonly outputs: readonly OutputChoice[]
}

/** The tokenizer that a checkpoint is used with, and its chat template. Both null where there is no vocabulary. */
export interface TokenizerSummary {
  readonly tokenizer: {
    readonly file: string
    readonly kind:
      | 'sentencepiece-bpe'
      | 'sentencepiece-unigram'
      | 'sentencepiece-word'
      | 'sentencepiece-char'
      | 'tokenizer-json'
      | 'gguf'
      | 'tiktoken'
      | 'vocab-merges'
      | 'vocab-txt'
      | 'custom-python'
    /** Why this file and no other. */
    readonly why: Remark
    readonly vocabSize: number
  } | null
  /** `fallbackFamily`: the family whose built-in template stands in, because the model brings none. */
  readonly template: { readonly source: string; readonly fallbackFamily: string | null } | null
  readonly problem: ContractError | null
}

/** A format that can be written. */
export interface OutputChoice {
  readonly id: string
  readonly name: string
  /** Endings that make a destination a file instead of a folder. */
  readonly extensions: readonly string[]
  readonly sharded: boolean
}

/** Which part of a model lies where in its files; neighbours of one kind are one segment. */
export interface ShardMap {
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly segments: readonly ShardSegment[] }[]
  /** Segments were joined, or files left out, to keep the picture small. */
  readonly simplified: boolean
}

/** Tensors that follow each other: one layer, or everything of a kind. */
export interface ShardSegment {
  readonly kind: 'embedding' | 'layer' | 'head' | 'norm' | 'other'
  readonly label: string
  readonly layer: number | null
  readonly sizeBytes: number
  readonly tensors: number
}

/** One row of the tree of tensors: a group of names, or a tensor. */
export type TensorRow =
  | {
      readonly kind: 'group'
      /** Everything before the names of its members; also its identity. */
      readonly prefix: string
      readonly label: string
      readonly depth: number
      readonly open: boolean
      readonly tensors: number
      readonly sizeBytes: number
    }
  | {
      readonly kind: 'tensor'
      readonly name: string
      readonly label: string
      readonly depth: number
      readonly dtype: string
      /** The block type it is read from, where it is quantized. */
      readonly block: string | null
      readonly shape: readonly number[]
      readonly file: string
      readonly sizeBytes: number
    }

/** The rows from `offset` on. `totalRows` counts what is visible, `tensors` the tensors that match. */
export interface TensorRows {
  readonly totalRows: number
  readonly tensors: number
  readonly offset: number
  readonly rows: readonly TensorRow[]
}

/** Counts of values between `from` and `to` in steps of equal width; those outside are counted apart. */
export interface Histogram {
  readonly from: number
  readonly to: number
  readonly counts: readonly number[]
  readonly below: number
  readonly above: number
}

/** Statistics of one tensor; null where there is no value to take them over. */
export interface TensorStatistics {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly elements: number
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly std: number | null
  readonly nanCount: number
  readonly infinityCount: number
  readonly zeroCount: number
  readonly firstValues: readonly number[]
  readonly histogram: Histogram | null
}

export type StatisticsEvent =
  | { readonly type: 'progress'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly type: 'done'; readonly statistics: TensorStatistics }

/** Rows asked for at once. */
const MAX_ROWS = 500
/** Groups that a person opened or closed by hand. */
const MAX_TOGGLED = 5_000

// ---- this machine's files -------------------------------------------------------------------------------------------------

/** A folder of this machine as a file chooser shows it. */
export interface PlaceListing {
  readonly path: string
  readonly parent: string | null
  /** Folders first, then files, by name. */
  readonly entries: readonly PlaceEntry[]
  /** Entries that are not listed: there are too many. */
  readonly leftOut: number
  readonly shortcuts: readonly { readonly kind: 'home' | 'root' | 'cache' | 'models'; readonly path: string }[]
}

/** One entry of a folder. `weights`: its name is one that weights have; `model`: it is a folder with a config.json. */
export interface PlaceEntry {
  readonly name: string
  readonly path: string
  readonly kind: 'folder' | 'file'
  readonly sizeBytes: number | null
  readonly hint: 'weights' | 'model' | null
}

// ---- uploads --------------------------------------------------------------------------------------------------------------

/** Bytes of a file in one call; as base64 it stays far below the longest frame. */
export const UPLOAD_CHUNK_BYTES = 1024 * 1024

/** An upload under way. */
export interface Upload {
  readonly uploadId: string
  /** What to inspect when it is complete: the one file, or the folder. */
  readonly path: string
}

// ---- entries --------------------------------------------------------------------------------------------------------------

export const workbenchCalls = {
  /** Native chooser of weight files; null when the person cancelled; "app/unsupported" where the host has none. */
  'app.chooseFiles': call<readonly string[] | null>()(nothing),
  /** Looks into a folder, a weight file or a shard index. Only headers are read. */
  'checkpoint.inspect': call<CheckpointSummary>()(v.strictObject({ path })),
  /** Reads the tokenizer of a folder, or of the folder around a weight file, and its chat template. */
  'checkpoint.tokenizer': call<TokenizerSummary>()(v.strictObject({ path })),
  /** Rows of the tree of tensors. A group is open when `open` is, unless it is one of `toggled`; with a query only what matches is there. */
  'checkpoint.rows': call<TensorRows>()(
    v.strictObject({
      path,
      query: text(500),
      open: v.boolean(),
      toggled: v.pipe(v.array(text(4096)), v.maxLength(MAX_TOGGLED)),
      offset: integer(0, 1_000_000_000),
      limit: integer(1, MAX_ROWS),
    }),
  ),
  /** Lists a folder; null is the person's own. Hidden entries are left out unless asked for. */
  'places.list': call<PlaceListing>()(v.strictObject({ path: v.nullable(path), filter: text(200), hidden: v.boolean() })),
  /** Announces files that will be sent. Names are relative paths with / between their parts. */
  'uploads.begin': call<Upload>()(
    v.strictObject({
      files: v.pipe(
        v.array(v.strictObject({ name: text(1024), sizeBytes: integer(0, Number.MAX_SAFE_INTEGER) })),
        v.minLength(1),
        v.maxLength(5_000),
      ),
    }),
  ),
  /** Appends bytes to a file; they must be the next ones. */
  'uploads.write': call<{ readonly receivedBytes: number }>()(
    v.strictObject({
      uploadId: id,
      file: integer(0, 5_000),
      offsetBytes: integer(0, Number.MAX_SAFE_INTEGER),
      /** Base64. */
      data: text(Math.ceil((UPLOAD_CHUNK_BYTES * 4) / 3) + 4),
    }),
  ),
  /** Checks that everything has arrived. */
  'uploads.finish': call<Upload>()(v.strictObject({ uploadId: id })),
  /** Removes what was sent, unless a conversion still needs it. */
  'uploads.discard': call<null>()(v.strictObject({ uploadId: id })),
  /** Moves a complete upload to where models stay. */
  'uploads.keep': call<{ readonly path: string }>()(v.strictObject({ uploadId: id })),
  'conversions.plan': call<ConversionPreview>()(conversionOrderSchema),
  /** Puts a conversion at the end of the queue. */
  'conversions.start': call<ConversionJob>()(conversionOrderSchema),
  /** Shows the result of a finished conversion in the system's file manager; "app/unsupported" where the host cannot. */
  'conversions.show': call<null>()(v.strictObject({ jobId: id })),
  'conversions.cancel': call<null>()(v.strictObject({ jobId: id })),
  /** Queues a conversion again that failed, was cancelled or was interrupted; an interrupted one uses the files that it had proven. */
  'conversions.retry': call<ConversionJob>()(v.strictObject({ jobId: id })),
  /** Takes a conversion that does not run off the list; its result stays. */
  'conversions.remove': call<null>()(v.strictObject({ jobId: id })),
  /** Takes everything that has ended off the list. */
  'conversions.clear': call<null>()(nothing),
} as const

export const workbenchStreams = {
  /** Reads a tensor and computes its statistics. Closing the stream stops it. */
  'checkpoint.statistics': stream<StatisticsEvent>()(v.strictObject({ path, name: text(4096) })),
  /** The queue now, then every change. */
  'conversions.watch': stream<ConversionsEvent>()(nothing),
} as const

// The messages between the app and a workbench process: one that looks into checkpoints or runs one conversion, apart from the process that answers chats.
import type {
  CheckpointSummary,
  ConversionOrder,
  ConversionPreview,
  ConversionProof,
  StatisticsEvent,
  TensorRows,
  TensorStatistics,
  TokenizerSummary,
} from '../../preload/contract'

/** An order with its place. */
export type PlacedOrder = ConversionOrder & { readonly out: string }

/** Which rows of which tree. */
export interface RowsParams {
  readonly path: string
  readonly query: string
  readonly open: boolean
  readonly toggled: readonly string[]
  readonly offset: number
  readonly limit: number
}

/** How far a conversion is. */
export interface ConvertProgress {
  readonly file: string
  readonly doneBytes: number
  readonly totalBytes: number
}

/** Every method of a workbench process: what goes in, what may be reported on the way, what comes out. */
export interface WorkbenchMethods {
  readonly inspect: { readonly params: { readonly path: string }; readonly event: never; readonly value: CheckpointSummary }
  readonly tokenizer: { readonly params: { readonly path: string }; readonly event: never; readonly value: TokenizerSummary }
  readonly rows: { readonly params: RowsParams; readonly event: never; readonly value: TensorRows }
  readonly statistics: {
    readonly params: { readonly path: string; readonly name: string }
    readonly event: Extract<StatisticsEvent, { readonly type: 'progress' }>
    readonly value: TensorStatistics
  }
  readonly planConversion: { readonly params: PlacedOrder; readonly event: never; readonly value: ConversionPreview }
  readonly convert: { readonly params: PlacedOrder; readonly event: ConvertProgress; readonly value: ConversionProof }
}

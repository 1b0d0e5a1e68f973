// Loads a decoder: weight files -> graph -> session. The order is that of `from_pretrained`.
import type { Checkpoint } from '../checkpoint/types'
import type { DecoderConfig } from '../config/decoder-config'
import { engineError } from '../errors'
import { buildDecoderGraph } from '../graph/decoder'
import { chooseWeightFormat, isExact, type WeightFormatName } from '../graph/weight-format'
import { chooseWidening } from '../graph/widening'
import { modelName } from '../inspect/model-files'
import { createPlacement } from '../prepared/placement'
import { OrtDecoder, type LoadedDecoder } from './decoder-model'
import { describeMachine } from './machine'
import type { LoadDecoderOptions } from './model-types'
import { openOrt } from './ort'
import { planPrepared } from './prepared-weights'
import { defaultThreads } from './threads'
import { placeWeightFiles, weightFolders } from './weight-folder'

/** A model folder, read. */
export interface LoadDecoderInput extends LoadDecoderOptions {
  /** The model's folder as the user named it; weights must lie in it, or in the blobs of its Hugging Face cache repository. */
  readonly directory: string
  readonly checkpoint: Checkpoint
  readonly config: DecoderConfig
}

/** A run of this many tokens takes about a quarter second for a 1B model on two cores; throughput is flat from 64 up. */
const DEFAULT_PREFILL_CHUNK_TOKENS = 128

function sixteenBitBytes(checkpoint: Checkpoint): number {
  let bytes = 0
  for (const { dtype, sizeBytes } of checkpoint.tensors.values()) if (dtype === 'BF16' || dtype === 'F16') bytes += sizeBytes
  return bytes
}

/** Whether tensors cannot be multiplied with as they lie in their files. */
function mayPrepare(checkpoint: Checkpoint, formats: readonly WeightFormatName[]): boolean {
  if (!formats.every(isExact)) return true
  for (const { storage, dtype } of checkpoint.tensors.values()) {
    if (storage === 'computed' || !['F32', 'F16', 'BF16'].includes(dtype)) return true
  }
  return false
}

function chosenFormat({ format, checkpoint }: LoadDecoderInput): WeightFormatName {
  if (format !== undefined && format !== 'auto') return format
  const suggested = chooseWeightFormat(checkpoint.tensors.values())
  return format === 'auto' || suggested === 'stored' ? suggested : 'f32'
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw engineError('runtime/aborted', { what: 'Loading the model' })
}

/**
 * Loads the decoder of an opened checkpoint. Exact formats: F32 weights stay mapped in their file, without a copy; 16-bit weights are widened to F32
 * ("at-load" in memory, "per-run" anew each time). Quantized formats, and tensors that do not lie in their file as they are used, come from the prepared
 * file, which is made first where there is none. The checkpoint may be disposed afterwards.
 * Throws "graph/weight-missing", "graph/weight-shape", "graph/weight-dtype", "runtime/weights-outside-model", what ensurePrepared throws,
 * "runtime/ort-unavailable", "runtime/ort-failed", "runtime/aborted".
 */
export async function loadDecoder(input: LoadDecoderInput): Promise<LoadedDecoder> {
  const { directory, checkpoint, config, signal, onProgress } = input
  onProgress?.({ stage: 'weights', fraction: 0 })
  const format = chosenFormat(input)
  const cancel = signal === undefined ? {} : { signal }
  const overrides = input.formatOverrides ?? []
  const formats = [format, ...overrides.map((override) => override.format)]
  const prepared = mayPrepare(checkpoint, formats)
    ? await planPrepared(checkpoint, { format, overrides, cache: input.prepared ?? {}, ...cancel })
    : null
  const place = await placeWeightFiles({
    files: checkpoint.files.map((file) => file.path),
    allowedFolders: await weightFolders(directory),
    ...(prepared === null ? {} : { ownFile: prepared.path }),
  })
  throwIfAborted(signal)
  onProgress?.({ stage: 'graph', fraction: 0 })
  const lowMemory = format === 'f32-low-memory' ? 'per-run' : null
  const widening =
    input.widening ??
    lowMemory ??
    chooseWidening({ sixteenBitBytes: sixteenBitBytes(checkpoint), freeBytes: describeMachine().devices[0].freeBytes })
  const placement = prepared?.placement ?? createPlacement()
  const location = prepared === null ? '' : place.locate(prepared.path)
  const graph = buildDecoderGraph({
    config,
    tensors: checkpoint.tensors,
    locate: place.locate,
    widening,
    format,
    formatOverrides: overrides,
    prepared: { placement, location },
  })
  const threads = input.threads ?? defaultThreads()
  await prepared?.ensure({
    model: modelName(directory),
    threads,
    onProgress: (fraction) => onProgress?.({ stage: 'prepare', fraction }),
    ...cancel,
  })
  const runtime = await openOrt(input.runtime === undefined ? {} : { kind: input.runtime })
  throwIfAborted(signal)
  onProgress?.({ stage: 'session', fraction: 0 })
  const session = await runtime.createSession({
    model: graph.model,
    externalDataFolder: place.folder,
    intraOpNumThreads: threads,
    // MatMulNBits is a hundred times slower with codes that were not packed; F32 matrices would only be copied.
    prepacking: !formats.every(isExact),
    constantFolding: widening === 'at-load',
    ...cancel,
  })
  onProgress?.({ stage: 'session', fraction: 1 })
  return new OrtDecoder({
    config,
    runtime,
    session,
    weightBytes: graph.weightBytes,
    format,
    notes: graph.notes,
    prefillChunkTokens: input.prefillChunkTokens ?? DEFAULT_PREFILL_CHUNK_TOKENS,
    usesPositionOffset: graph.usesPositionOffset,
  })
}

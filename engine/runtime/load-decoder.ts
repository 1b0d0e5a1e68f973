// Loads a decoder: weight files -> graph -> session. The order is that of `from_pretrained`.
import type { Checkpoint } from '../checkpoint/types'
import type { DecoderConfig } from '../config/decoder-config'
import { engineError } from '../errors'
import { buildDecoderGraph } from '../graph/decoder'
import { chooseWidening } from '../graph/widening'
import { OrtDecoder, type LoadedDecoder } from './decoder-model'
import { describeMachine } from './machine'
import type { LoadDecoderOptions } from './model-types'
import { openOrt } from './ort'
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

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw engineError('runtime/aborted', { what: 'Loading the model' })
}

/**
 * Loads the decoder of an opened checkpoint. F32 weights stay mapped in their file, without a copy; 16-bit weights are widened exactly to F32
 * ("at-load" in memory, "per-run" anew each time). The checkpoint may be disposed afterwards.
 * Throws "graph/weight-missing", "graph/weight-shape", "graph/weight-dtype", "runtime/weights-outside-model",
 * "runtime/ort-unavailable", "runtime/ort-failed", "runtime/aborted".
 */
export async function loadDecoder(input: LoadDecoderInput): Promise<LoadedDecoder> {
  const { directory, checkpoint, config, signal, onProgress } = input
  onProgress?.({ stage: 'weights', fraction: 0 })
  const place = await placeWeightFiles({
    files: checkpoint.files.map((file) => file.path),
    allowedFolders: await weightFolders(directory),
  })
  throwIfAborted(signal)
  onProgress?.({ stage: 'graph', fraction: 0 })
  const widening =
    input.widening ?? chooseWidening({ sixteenBitBytes: sixteenBitBytes(checkpoint), freeBytes: describeMachine().devices[0].freeBytes })
  const graph = buildDecoderGraph({ config, tensors: checkpoint.tensors, locate: place.locate, widening })
  const runtime = await openOrt(input.runtime === undefined ? {} : { kind: input.runtime })
  throwIfAborted(signal)
  onProgress?.({ stage: 'session', fraction: 0 })
  const session = await runtime.createSession({
    model: graph.model,
    externalDataFolder: place.folder,
    intraOpNumThreads: input.threads ?? defaultThreads(),
    prepacking: false,
    constantFolding: widening === 'at-load',
    ...(signal === undefined ? {} : { signal }),
  })
  onProgress?.({ stage: 'session', fraction: 1 })
  return new OrtDecoder({
    config,
    runtime,
    session,
    weightBytes: graph.weightBytes,
    notes: graph.notes,
    prefillChunkTokens: input.prefillChunkTokens ?? DEFAULT_PREFILL_CHUNK_TOKENS,
    usesPositionOffset: graph.usesPositionOffset,
  })
}

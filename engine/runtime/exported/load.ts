// Loads an exported ONNX decoder: weight ranges -> outline -> border -> placed files -> session. Nothing of the file reaches ONNX Runtime unchecked.
import { openOnnx } from '../../checkpoint/onnx/onnx'
import { readOnnxOutline } from '../../checkpoint/onnx/outline'
import type { ExportConfig } from '../../config/export-config'
import { engineError } from '../../errors'
import { matchExportBorder } from '../../graph/export-border'
import { rewriteOnnxModel } from '../../graph/onnx/rewrite-model'
import type { LoadedDecoder } from '../decoder-model'
import type { LoadDecoderOptions } from '../model-types'
import { openOrt } from '../ort'
import { defaultThreads } from '../threads'
import { placeWeightFiles, weightFolders } from '../weight-folder'
import { ExportedDecoder } from './decoder'

/** An exported model, found; `path` is its ONNX file, `directory` the folder that all its files must lie in. */
export interface LoadExportedInput extends LoadDecoderOptions {
  readonly directory: string
  readonly path: string
  readonly config: ExportConfig
}

/** Every chunk computes scores for all its positions: 128 of a 150,000 token vocabulary are 77 MB. */
const DEFAULT_PREFILL_CHUNK_TOKENS = 128

/** Operators that multiply with packed weights: they are slow by a factor of a hundred without packing. Plain matrices stay mapped instead. */
const PACKED_OPERATORS = /::(MatMulNBits|MatMulBnb4|MatMulInteger\w*|DynamicQuantizeMatMul|QLinear\w+|QGemm|DequantizeLinear|ConvInteger)$/

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw engineError('runtime/aborted', { what: 'Loading the model' })
}

/**
 * Loads an exported decoder. Weights stay mapped in their files.
 * Throws what openOnnx, readOnnxOutline, matchExportBorder and placeWeightFiles throw, "runtime/ort-unavailable", "runtime/ort-failed", "runtime/aborted".
 */
export async function loadExportedDecoder(input: LoadExportedInput): Promise<LoadedDecoder> {
  const { directory, path, config, signal, onProgress } = input
  const cancel = signal ? { signal } : {}
  onProgress?.({ stage: 'weights', fraction: 0 })
  using checkpoint = await openOnnx(path, cancel)
  const place = await placeWeightFiles({
    files: checkpoint.files.map((file) => file.path),
    allowedFolders: await weightFolders(directory),
  })
  throwIfAborted(signal)
  onProgress?.({ stage: 'graph', fraction: 0 })
  const outline = await readOnnxOutline(path, cancel)
  const border = matchExportBorder(outline, config)
  const model = await rewriteOnnxModel(path, { locate: place.locate, ...cancel })
  const runtime = await openOrt(input.runtime === undefined ? {} : { kind: input.runtime })
  throwIfAborted(signal)
  onProgress?.({ stage: 'session', fraction: 0 })
  const session = await runtime.createSession({
    model,
    externalDataFolder: place.folder,
    intraOpNumThreads: input.threads ?? defaultThreads(),
    prepacking: [...outline.operators].some((operator) => PACKED_OPERATORS.test(operator)),
    constantFolding: true,
    ...cancel,
  })
  onProgress?.({ stage: 'session', fraction: 1 })
  const { modelType, bosTokenId, eosTokenIds, padTokenId } = config
  return new ExportedDecoder({
    facts: { modelType, vocabSize: border.vocabSize, bosTokenId, eosTokenIds, padTokenId },
    border,
    runtime,
    session,
    weightBytes: [...checkpoint.tensors.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    notes: checkpoint.notes.map(({ text }) => text),
    prefillChunkTokens: input.prefillChunkTokens ?? DEFAULT_PREFILL_CHUNK_TOKENS,
  })
}

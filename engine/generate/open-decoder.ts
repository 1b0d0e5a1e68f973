// Opens a model's decoder: its configuration, the weight files' headers, then graph and session; no tokenizer is needed for that.
import { readGgufHeader } from '../checkpoint/gguf/header'
import type { GenerationDefaults } from '../config/decoder-config'
import { loadExportConfig } from '../config/export-config'
import { parseGenerationDefaults } from '../config/generation-config'
import { openGgufModel } from '../config/gguf/open-gguf-model'
import type { ModelFacts } from '../config/model-facts'
import { openModelCheckpoint } from '../config/open-model-checkpoint'
import { findModelSource, type ModelSource } from '../config/model-source'
import { loadDecoderConfig } from '../config/read-config'
import { supportedModelTypes } from '../config/families/table'
import { engineError } from '../errors'
import { contextLengthTokens } from '../graph/rope/context-length'
import type { LoadedDecoder } from '../runtime/decoder-model'
import { loadExportedDecoder } from '../runtime/exported/load'
import { loadDecoder } from '../runtime/load-decoder'
import type { LoadDecoderOptions } from '../runtime/model-types'
import { ggufEndTokenIds } from '../tokenizer/gguf/gguf-tokenizer'

/** How a model's decoder is opened. */
export interface OpenDecoderOptions extends LoadDecoderOptions {
  /** Which variant of an exported model: f32, f16, q8, int8, uint8, q4, q4f16 or bnb4. Absent: the first complete one in that order. */
  readonly variant?: string
}

/** A model's folder, its facts and its decoder. Whoever opened it disposes the decoder. */
export interface OpenedDecoder {
  /** Absolute path of the folder with tokenizer and templates, or of the GGUF file that holds them. */
  readonly directory: string
  readonly config: ModelFacts
  /** Tokens that the model is meant to see at once. */
  readonly contextLength: number
  /** The author's defaults where the configuration itself holds them; null leaves them to generation_config.json. */
  readonly generationDefaults: GenerationDefaults | null
  readonly decoder: LoadedDecoder
}

/** Context of an exported model whose configuration does not tell it: what every public decoder can do. */
const UNKNOWN_CONTEXT_LENGTH = 2048

async function openExported(source: ModelSource, options: LoadDecoderOptions): Promise<OpenedDecoder> {
  const { directory, path } = source
  // The matrices of an exported graph are what they are.
  const [override] = options.formatOverrides ?? []
  if (override !== undefined) throw engineError('graph/format-override-unmatched', { pattern: override.pattern })
  const config = await loadExportConfig(directory, options.signal ? { signal: options.signal } : {})
  const decoder = await loadExportedDecoder({ directory, path, config, ...options })
  return {
    directory,
    config: decoder.config,
    contextLength: config.contextLength ?? UNKNOWN_CONTEXT_LENGTH,
    generationDefaults: config.generationDefaults,
    decoder,
  }
}

async function openGgufDecoder({ directory, path }: ModelSource, options: LoadDecoderOptions): Promise<OpenedDecoder> {
  const { config, checkpoint } = await openGgufModel(path, options.signal ? { signal: options.signal } : {})
  using source = checkpoint
  const decoder = await loadDecoder({ directory, checkpoint: source, config, ...options })
  const { metadata } = await readGgufHeader(source.files[0]?.path ?? path)
  // The metadata names more ways to end a turn than one id.
  const eosTokenIds = await ggufEndTokenIds(metadata, { path })
  const generationDefaults = parseGenerationDefaults({}, { fallback: { ...config, eosTokenIds }, path })
  return { directory: path, config, contextLength: contextLengthTokens(config), generationDefaults, decoder }
}

/**
 * Opens the decoder of a model folder, or of one weight file, shard index or ONNX file with the configuration beside it (an ONNX file in a folder `onnx`: above it).
 * Throws what findModelSource, the readers of configurations, openCheckpoint, loadDecoder and loadExportedDecoder throw.
 */
export async function openDecoder(path: string, options: OpenDecoderOptions = {}): Promise<OpenedDecoder> {
  const { variant, ...loading } = options
  const { signal, format } = loading
  const wanted = variant ?? (format === 'q8' || format === 'q4' ? format : undefined)
  const source = await findModelSource(path, wanted === undefined ? {} : { format: wanted })
  if (source.kind === 'onnx') return openExported(source, loading)
  if (source.kind === 'gguf') return openGgufDecoder(source, loading)
  const { directory } = source
  const config = await loadDecoderConfig(directory, { supportedModelTypes, ...(signal && { signal }) })
  using checkpoint = await openModelCheckpoint(source, signal ? { signal } : {})
  const decoder = await loadDecoder({ directory, checkpoint, config, ...loading })
  return { directory, config, contextLength: contextLengthTokens(config), generationDefaults: null, decoder }
}

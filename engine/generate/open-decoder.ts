// Opens a model folder's decoder: config.json, the weight files' headers, then graph and session; no tokenizer is needed for that.
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { openCheckpoint } from '../checkpoint/open'
import type { DecoderConfig } from '../config/decoder-config'
import { loadDecoderConfig } from '../config/read-config'
import { supportedModelTypes } from '../config/families/table'
import type { LoadedDecoder } from '../runtime/decoder-model'
import { loadDecoder } from '../runtime/load-decoder'
import type { LoadDecoderOptions } from '../runtime/model-types'

/** A model's folder, its configuration and its decoder. Whoever opened it disposes the decoder. */
export interface OpenedDecoder {
  /** Absolute path. */
  readonly directory: string
  readonly config: DecoderConfig
  readonly decoder: LoadedDecoder
}

/** The model folder that a path names: the folder itself, or the one that a weight file or shard index lies in. Throws "bytes/not-found". */
async function modelDirectory(path: string): Promise<string> {
  const absolute = resolve(path)
  try {
    return (await stat(absolute)).isDirectory() ? absolute : dirname(absolute)
  } catch (cause) {
    throw fileError(absolute, cause)
  }
}

/**
 * Opens the decoder of a model folder, or of one weight file or shard index with the configuration beside it.
 * Throws what loadDecoderConfig, openCheckpoint and loadDecoder throw.
 */
export async function openDecoder(path: string, options: LoadDecoderOptions = {}): Promise<OpenedDecoder> {
  const { signal } = options
  const directory = await modelDirectory(path)
  const config = await loadDecoderConfig(directory, { supportedModelTypes, ...(signal && { signal }) })
  using checkpoint = await openCheckpoint(path, signal ? { signal } : {})
  const decoder = await loadDecoder({ directory, checkpoint, config, ...options })
  return { directory, config, decoder }
}

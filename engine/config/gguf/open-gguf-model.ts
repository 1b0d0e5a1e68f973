// A GGUF file as a model to run: its configuration, and its tensors under the names of its family.
import { readGgufHeader } from '../../checkpoint/gguf/header'
import { openGguf } from '../../checkpoint/gguf/open-gguf'
import { renameCheckpoint } from '../../checkpoint/renamed'
import type { Checkpoint } from '../../checkpoint/types'
import type { DecoderConfig } from '../decoder-config'
import { readGgufConfig } from './gguf-config'
import { ggufTensorNames } from './tensor-names'

/** A GGUF model, read. Whoever opened it disposes the checkpoint. */
export interface GgufModel {
  readonly config: DecoderConfig
  readonly checkpoint: Checkpoint
}

/** Opens the GGUF model at `path` (of a split one: any part). Throws what openGguf and readGgufConfig throw. */
export async function openGgufModel(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<GgufModel> {
  const checkpoint = await openGguf(path, options)
  try {
    // The first part of a split model describes it.
    const { metadata } = await readGgufHeader(checkpoint.files[0]?.path ?? path, options)
    const config = await readGgufConfig({ path, metadata, checkpoint })
    return { config, checkpoint: renameCheckpoint(checkpoint, ggufTensorNames(checkpoint.tensors, config)) }
  } catch (error) {
    checkpoint[Symbol.dispose]()
    throw error
  }
}

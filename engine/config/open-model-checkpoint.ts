// The weights of a model folder as its configuration means them: packed matrices as the float tensors they stand for, stacked experts one by one.
import { join } from 'node:path'
import { openCheckpoint } from '../checkpoint/open'
import { openPacked } from '../checkpoint/packed/packed-view'
import { unstackExperts } from '../checkpoint/stacked-experts'
import type { Checkpoint } from '../checkpoint/types'
import { readConfigJson } from './read-config'
import { readQuantization } from './read-quantization'

/** Opens the weights of a model; `directory` holds its config.json, `path` is what to open. Throws what openCheckpoint, readConfigJson, readQuantization and openPacked throw. */
export async function openModelCheckpoint(
  { directory, path }: { readonly directory: string; readonly path: string },
  options: { readonly signal?: AbortSignal } = {},
): Promise<Checkpoint> {
  const scheme = readQuantization(await readConfigJson(directory, options), join(directory, 'config.json'))
  const checkpoint = await openCheckpoint(path, options)
  if (scheme === null) return unstackExperts(checkpoint)
  try {
    return unstackExperts(await openPacked(checkpoint, scheme))
  } catch (error) {
    checkpoint[Symbol.dispose]()
    throw error
  }
}

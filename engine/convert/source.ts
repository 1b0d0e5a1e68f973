// Opens what is to be converted: a checkpoint as it is, or mapped onto a family.
import { openCheckpoint } from '../checkpoint/open'
import type { Checkpoint } from '../checkpoint/types'
import { engineError } from '../errors'
import { mapFamily, mappableFamilies, type FamilyMapping } from './standard/map-family'
import { openModelParallel } from './standard/model-parallel'
import type { ConversionRequest } from './types'

/** An opened source. `mapping` is null where all names stay. */
export interface OpenedSource {
  readonly checkpoint: Checkpoint
  readonly mapping: FamilyMapping | null
  /** Families that it could be mapped onto. */
  readonly candidates: readonly string[]
}

function checkOptions({ family, stripPrefix, include }: ConversionRequest): void {
  const exclude = (second: string): Error => engineError('convert/options-exclude', { first: 'family', second })
  if (family !== undefined && stripPrefix !== undefined) throw exclude('strip-prefix')
  if (family !== undefined && include === 'optimizer') throw exclude('include optimizer')
}

/** Opens the source; the caller disposes the checkpoint. Throws what openCheckpoint, openModelParallel and mapFamily throw, "convert/options-exclude", "checkpoint/no-optimizer". */
export async function openSource(request: ConversionRequest): Promise<OpenedSource> {
  checkOptions(request)
  const { source: path, family, config, settings, include, signal } = request
  const options = { ...(signal && { signal }) }
  const parallel = family === undefined ? null : await openModelParallel(path, options)
  const checkpoint = parallel ?? (await openCheckpoint(path, { ...options, ...(include && { include }) }))
  try {
    if (include === 'optimizer' && !checkpoint.format.startsWith('pytorch')) throw engineError('checkpoint/no-optimizer', { path })
    const candidates = mappableFamilies(checkpoint.tensors)
    if (family === undefined) return { checkpoint, mapping: null, candidates }
    const mapping = await mapFamily(checkpoint, {
      ...options,
      path,
      family,
      ...(config !== undefined && { config }),
      ...(settings && { settings }),
    })
    return { checkpoint: mapping.checkpoint, mapping, candidates }
  } catch (cause) {
    checkpoint[Symbol.dispose]()
    throw cause
  }
}

// A small checkpoint for the tests of the prepared cache, and what is asked of it.
import { openCheckpoint } from '../../../engine/checkpoint/open'
import { ensurePrepared, type EnsureOptions } from '../../../engine/prepared/ensure-prepared'
import { createPlacement } from '../../../engine/prepared/placement'
import { sourceKey } from '../../../engine/prepared/source-key'
import type { PreparedRequest } from '../../../engine/prepared/types'
import { safetensorsFile } from '../../support/safetensors-writer'

export const ROWS = 12
export const COLUMNS = 80

/** Values that no two matrices share. */
export function valuesOf(matrix: number): Float32Array {
  return Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.fround(Math.sin(i * (matrix + 1.37)) * 0.1))
}

/** A file of `count` F32 matrices [ROWS, COLUMNS]. */
export function weightFile(count: number): Uint8Array {
  return safetensorsFile(
    Array.from({ length: count }, (_, index) => ({
      name: `w${index}`,
      dtype: 'F32' as const,
      shape: [ROWS, COLUMNS],
      bytes: new Uint8Array(valuesOf(index).buffer),
    })),
  )
}

const FORMAT = { bits: 4, blockSize: 32, symmetric: false } as const

/** Every matrix of the file in 4 bits. */
export function requestsOf(count: number): readonly PreparedRequest[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `w${index}`,
    source: { tensor: `w${index}`, shape: { rows: ROWS, columns: COLUMNS }, layout: 'out-in', offsetElements: 0 },
    form: { kind: 'nbits', format: FORMAT },
  }))
}

/** Prepares requests of a weight file, as loading does; returns the file's path. */
export async function prepareFile(
  source: string,
  options: { readonly folder: string; readonly requests: readonly PreparedRequest[]; readonly maxBytes?: number } & Partial<
    Pick<EnsureOptions, 'signal' | 'onProgress'>
  >,
): Promise<{ readonly path: string; readonly placed: ReturnType<ReturnType<typeof createPlacement>['entries']> }> {
  const { folder, requests, maxBytes = Infinity, ...rest } = options
  using checkpoint = await openCheckpoint(source)
  const placement = createPlacement()
  for (const request of requests) placement.add(request)
  const key = await sourceKey(checkpoint, { recipe: requests })
  const placed = placement.entries()
  const path = await ensurePrepared({
    cache: { folder, maxBytes },
    key,
    checkpoint,
    entries: placed,
    endBytes: placement.endBytes(),
    label: { model: 'test', format: 'q4' },
    threads: 2,
    ...rest,
  })
  return { path, placed }
}

// The list of conversions on disk: what was asked for, how it ended and its proof. One JSON document in the data folder.
import * as v from 'valibot'
import { conversionOrderSchema } from '../../preload/contract'
import type { ConversionJob, ConversionProof } from '../../preload/contract'

/** Jobs kept; each is some kilobytes, and nobody reads on beyond them. */
export const MAX_JOBS = 100

const nullableNumber = v.nullable(v.number())
const errorSchema = v.object({ code: v.string(), message: v.string(), details: v.record(v.string(), v.unknown()) })

function isListOf(list: unknown, key: string): boolean {
  return Array.isArray(list) && list.every((each) => typeof each === 'object' && each !== null && key in each)
}

/** The proof was made and cut by our own worker; it is shown as it is, so its outline is all that has to be right. */
const proofSchema = v.custom<ConversionProof>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    'out' in value &&
    'totals' in value &&
    'files' in value &&
    Array.isArray(value.files) &&
    'tensors' in value &&
    Array.isArray(value.tensors) &&
    'notes' in value &&
    isListOf(value.notes, 'text') &&
    'dropped' in value &&
    isListOf(value.dropped, 'why'),
)

/** Schema of the document. Unknown fields of an order are a newer version's: the document is then kept aside as broken. */
export const jobsSchema = v.object({
  jobs: v.array(
    v.object({
      id: v.string(),
      order: v.strictObject({ ...conversionOrderSchema.entries, out: v.string() }),
      state: v.picklist(['queued', 'running', 'done', 'failed', 'cancelled', 'interrupted']),
      createdAtMs: v.number(),
      startedAtMs: nullableNumber,
      endedAtMs: nullableNumber,
      progress: v.object({
        file: v.nullable(v.string()),
        doneBytes: v.number(),
        totalBytes: v.number(),
        bytesPerSecond: nullableNumber,
        leftMs: nullableNumber,
      }),
      // A proof in the outline of an older version is not shown any more; the job stays.
      proof: v.fallback(v.nullable(proofSchema), null),
      error: v.nullable(errorSchema),
    }),
  ),
})

/** Jobs as the last run left them: what ran or waited then was interrupted. */
export function afterRestart(jobs: readonly ConversionJob[]): readonly ConversionJob[] {
  return jobs.map((job) =>
    job.state === 'running' || job.state === 'queued'
      ? { ...job, state: 'interrupted', progress: { ...job.progress, bytesPerSecond: null, leftMs: null } }
      : job,
  )
}

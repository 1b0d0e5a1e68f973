// What was measured of models on this machine, kept in the data folder: perplexity and speed by model and format, and the speed of the kernels.
import { join } from 'node:path'
import * as v from 'valibot'
import type { MatrixFormatOverride } from '../../preload/contract'
import type { KernelSpeeds } from '../../engine/plan/speed-model'
import type { Clock, Log } from '../host'
import { openJsonFile } from '../json-file'

/** More models than anybody compares; the oldest make room. */
const MAX_ENTRIES = 2_000

const positive = v.pipe(v.number(), v.minValue(0))
const entrySchema = v.object({
  modelId: v.string(),
  /** Bytes of the weight files: another size is another model at the same place. */
  modelBytes: positive,
  /** The format, with overrides of single matrices behind it. */
  recipe: v.string(),
  threads: v.nullable(positive),
  tokensPerSecond: v.optional(positive),
  speedAtMs: v.optional(positive),
  perplexity: v.optional(v.object({ text: positive, perplexity: positive, tokens: positive, measuredAtMs: positive })),
})
type Measurement = v.InferOutput<typeof entrySchema>
const fileSchema = v.object({
  kernels: v.optional(
    v.object({
      machine: v.string(),
      threads: positive,
      layerSeconds: positive,
      bytesPerSecond: v.object({ f32: positive, widened: positive, q8: positive, q4: positive }),
    }),
  ),
  entries: v.array(entrySchema),
})

/** Which measurement: of a model at a place, in a format. */
export type MeasurementKey = Pick<Measurement, 'modelId' | 'modelBytes' | 'recipe' | 'threads'>

/** The measurements of this machine. */
export interface Measurements {
  readonly find: (key: MeasurementKey) => Measurement | null
  /** Keeps what was measured anew beside what is known. Not being able to write loses nothing that matters. */
  readonly note: (key: MeasurementKey, measured: Partial<Measurement>) => Promise<void>
  /** Null where they were never measured on this machine with so many threads. */
  readonly kernels: (machine: string) => KernelSpeeds | null
  readonly noteKernels: (machine: string, speeds: KernelSpeeds) => Promise<void>
}

/** The format with its overrides, as prepared files are labelled. */
export function recipeOf(format: string, overrides: readonly MatrixFormatOverride[]): string {
  return [format, ...overrides.map((each) => `${each.pattern}=${each.format}`)].join(' ')
}

/** Opens the measurements of a data folder. */
export async function openMeasurements(options: {
  readonly dataFolder: string
  readonly clock: Clock
  readonly log: Log
}): Promise<Measurements> {
  const { dataFolder, clock, log } = options
  const path = join(dataFolder, 'measurements.json')
  const file = await openJsonFile({ path, schema: fileSchema, fallback: { entries: [] }, clock, log })
  const isSame = (a: MeasurementKey, b: MeasurementKey): boolean =>
    a.modelId === b.modelId && a.modelBytes === b.modelBytes && a.recipe === b.recipe && a.threads === b.threads
  const update: typeof file.update = async (change) =>
    await file.update(change).catch((failure: unknown) => {
      log.warn('a measurement was not kept', { path, failure: String(failure) })
      return file.value()
    })
  return {
    find: (key) => file.value().entries.find((entry) => isSame(entry, key)) ?? null,
    note: async (key, measured) => {
      await update((value) => {
        const before = value.entries.find((entry) => isSame(entry, key))
        const others = value.entries.filter((entry) => entry !== before)
        return { ...value, entries: [...others, { ...before, ...key, ...measured }].slice(-MAX_ENTRIES) }
      })
    },
    kernels: (machine) => {
      const { kernels } = file.value()
      return kernels?.machine === machine ? kernels : null
    },
    noteKernels: async (machine, speeds) => {
      await update((value) => ({ ...value, kernels: { machine, ...speeds } }))
    },
  }
}

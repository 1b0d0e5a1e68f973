// Error sentences of the prepared cache and of weight formats: code -> details -> one English sentence that says what was found and what is allowed.
import { spokenSize } from './spoken-size'

export const preparedErrors = {
  'prepared/not-finite': (d: { tensor: string }) =>
    `The tensor ${d.tensor} holds values that are no finite numbers, so it cannot be quantized; run the model in the format f32.`,
  'prepared/disk-full': (d: { folder: string; neededBytes: number; freeBytes: number }) =>
    `Preparing the weights needs ${spokenSize(d.neededBytes)} in ${d.folder}, but ${spokenSize(d.freeBytes)} are free. Clear prepared weights, or choose a smaller format.`,
  'prepared/write-failed': (d: { path: string; reason: string }) => `The prepared weights ${d.path} could not be written: ${d.reason}.`,
  'prepared/read-failed': (d: { path: string; reason: string }) => `While weights were prepared, ${d.path} could not be read: ${d.reason}.`,
  'prepared/verification-failed': (d: { path: string; entry: string }) =>
    `The prepared weights ${d.path} do not hold what was written for ${d.entry}; the disk may be failing.`,
  'prepared/source-changed': (d: { path: string }) => `The weight file ${d.path} changed while its weights were being prepared.`,
} satisfies Record<string, (details: never) => string>

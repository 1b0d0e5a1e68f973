// Error sentences of the convert area: code -> details -> one English sentence that says what was found and what is allowed.
import { spokenSize } from './spoken-size'

export const convertErrors = {
  'convert/not-available': (d: { what: string; available: readonly string[] }) =>
    `${d.what} cannot be done yet. What works: ${d.available.join(', ')}.`,
  'convert/output-is-input': (d: { path: string; input: string }) =>
    `${d.path} is ${d.input}, which is being converted; the result must go elsewhere.`,
  'convert/output-exists': (d: { path: string }) => `${d.path} already exists; it is replaced only when asked to.`,
  'convert/disk-full': (d: { path: string; neededBytes: number; freeBytes: number }) =>
    `The disk of ${d.path} has ${spokenSize(d.freeBytes)} free; ${spokenSize(d.neededBytes)} are needed.`,
  'convert/write-failed': (d: { path: string; reason: string }) => `${d.path} cannot be written (${d.reason}).`,
  'convert/dtype-not-in-format': (d: { tensor: string; dtype: string; format: string }) =>
    `Tensor ${d.tensor} has the dtype ${d.dtype}, which ${d.format} cannot hold and which has no exact wider form.`,
  'convert/name-not-in-format': (d: { tensor: string; format: string; reason: string }) =>
    `The tensor name "${d.tensor}" cannot be written as ${d.format}: ${d.reason}.`,
  'convert/name-collision': (d: { name: string; first: string; second: string }) =>
    `Both ${d.first} and ${d.second} would be named ${d.name} without their prefix.`,
  'convert/prefix-not-found': (d: { prefix: string; count: number }) => `None of the ${d.count} tensor names starts with "${d.prefix}".`,
  'convert/family-not-available': (d: { family: string; available: readonly string[] }) =>
    `There is no family called ${d.family} to map onto. Families: ${d.available.join(', ')}; or auto.`,
  'convert/family-unknown': (d: { path: string; names: readonly string[] }) =>
    `The tensor names of ${d.path} follow no naming that is known (${d.names.join(', ')}), so they cannot be mapped onto a family.`,
  'convert/family-mismatch': (d: { family: string; layout: string; fitting: readonly string[] }) =>
    `A state dict with these ${d.layout} names and parts is no ${d.family} decoder. It fits: ${d.fitting.join(', ') || 'none of the families'}.`,
  'convert/family-incomplete': (d: { family: string; missing: readonly string[] }) =>
    `Parts of a ${d.family} decoder are missing: ${d.missing.join(', ')}.`,
  'convert/unmapped-tensors': (d: { family: string; count: number; names: readonly string[] }) =>
    `${d.count} tensors have no place in a ${d.family} decoder: ${d.names.join(', ')}.`,
  'convert/config-contradicts': (d: { field: string; value: string; expected: string }) =>
    `${d.field} cannot be ${d.value}; it must be ${d.expected}.`,
  'convert/options-exclude': (d: { first: string; second: string }) => `${d.first} and ${d.second} cannot be asked for together.`,
  'convert/model-parallel-shards': (d: { path: string; reason: string }) =>
    `The model-parallel shards of ${d.path} do not fit together: ${d.reason}.`,
  'convert/parts-differ': (d: { first: string; second: string }) =>
    `${d.first} and ${d.second} differ in shape or dtype, though a decoder needs them alike.`,
  'convert/dtype-not-doubled': (d: { tensor: string; dtype: string }) =>
    `The shared expert ${d.tensor} has to be doubled for this family, which is not exact in ${d.dtype}; cast it to F16, BF16 or F32 first.`,
  'convert/gguf-family': (d: { modelType: string; available: readonly string[] }) =>
    `${d.modelType} models cannot be written as GGUF yet. Families: ${d.available.join(', ')}.`,
  'convert/gguf-not-expressible': (d: { what: string }) => `GGUF has no place for ${d.what} as llama.cpp reads it.`,
  'convert/onnx-needs-folder': (d: { path: string }) => `An ONNX model is several files; ${d.path} must be a folder.`,
  'convert/no-tensors': (d: { path: string }) => `${d.path} holds no tensors, so there is nothing to convert.`,
  'convert/shards-need-folder': (d: { path: string; totalBytes: number; maxShardBytes: number }) =>
    `${d.path} is a single file, but ${d.totalBytes} bytes in shards of at most ${d.maxShardBytes} need several: name a folder instead.`,
  'convert/header-too-large': (d: { path: string; headerBytes: number; maxBytes: number }) =>
    `The header of ${d.path} would have ${d.headerBytes} bytes; readers allow at most ${d.maxBytes}.`,
  'convert/already-running': (d: { path: string; pid: number }) =>
    `Another process (${d.pid}) is converting to the same place; its unfinished files are in ${d.path}.`,
  'convert/source-changed': (d: { path: string }) => `${d.path} changed while it was being converted; nothing was kept.`,
  'convert/verification-failed': (d: { path: string; tensor: string | null; reason: string }) =>
    `${d.path} is not what was written${d.tensor === null ? '' : ` at tensor ${d.tensor}`}: ${d.reason}.`,
} satisfies Record<string, (details: never) => string>

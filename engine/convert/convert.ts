// Runs a conversion: plan, stream, verify, report. Nothing has its final name before everything is complete and proven.
import { copyFile, writeFile as writeWholeFile } from 'node:fs/promises'
import { openCheckpoint } from '../checkpoint/open'
import type { TensorInfo } from '../checkpoint/types'
import { WRITABLE_FORMATS, type TiedStorage } from '../checkpoint/writers/formats'
import { engineError } from '../errors'
import { countElements } from '../tensor/shape'
import { compareLogits, MAX_COMPARED_BYTES } from './compare-logits'
import { mismatch, writeError } from './output-file'
import { recordProofs } from './journal'
import { prepareConversion, sourceState, type PreparedConversion, type PreparedFile } from './plan'
import { RangeThreads } from './range-threads'
import { isReusable } from './reuse'
import { Staging } from './staging'
import type { ConversionEvent, ConversionPlan, ConversionReport, ConversionRequest, LogitsComparison, VerifiedTensor } from './types'
import { writeFile, type TensorProof } from './write-file'

interface RunOptions {
  readonly sync: boolean
  readonly onEvent: (event: ConversionEvent) => void
  readonly signal?: AbortSignal
}

/** A file of the result with its proofs. */
interface ProvenFile extends PreparedFile {
  readonly proofs: readonly TensorProof[]
  readonly reused: boolean
}

function meaningOf(found: TensorInfo): string {
  const stored = found.storage === 'computed' ? found.block : found
  const dtype = found.storage === 'computed' ? (found.block?.type ?? found.dtype) : found.dtype
  return `${dtype} [${found.shape.join(', ')}] at ${stored ? `byte ${stored.offsetBytes}` : 'nowhere'}`
}

/** What was written must also mean the right thing to a reader: names, dtypes, shapes and places. Recorded aliases have no entry of their own. */
async function checkMeaning(path: string, file: PreparedFile, tied: TiedStorage): Promise<void> {
  using written = await openCheckpoint(path)
  for (const { tensor, offsetBytes } of file.layout.slots) {
    const expected = `${tensor.dtype} [${tensor.shape.join(', ')}] at byte ${offsetBytes}`
    for (const name of [tensor.name, ...(tied === 'shared' ? tensor.aliases : [])]) {
      const found = written.tensors.get(name)
      const actual = found ? meaningOf(found) : 'missing'
      // Where no byte is, no place matters.
      if (actual !== expected && !(tensor.sizeBytes === 0 && found?.sizeBytes === 0))
        throw mismatch(path, { tensor: name, reason: `it reads as ${actual}, not as ${expected}` })
    }
  }
}

/** Uses a file of an interrupted run where it is still what it was proven to be. */
async function reuse(
  file: PreparedFile,
  context: {
    readonly staging: Staging
    readonly threads: RangeThreads
    readonly onBytes: (sizeBytes: number) => void
    readonly signal?: AbortSignal
  },
): Promise<readonly TensorProof[] | null> {
  const { staging, ...options } = context
  const proofs = staging.earlier?.proofs.get(file.file)
  const path = await staging.find(file.file)
  if (!proofs || path === null) return null
  let countedBytes = 0
  const onBytes = (sizeBytes: number): void => {
    countedBytes += sizeBytes
    context.onBytes(sizeBytes)
  }
  if (await isReusable({ ...options, path, file, proofs, onBytes })) return proofs
  context.onBytes(-countedBytes)
  return null
}

async function writeFiles(prepared: PreparedConversion, staging: Staging, options: RunOptions): Promise<readonly ProvenFile[]> {
  const { checkpoint, files } = prepared
  const { onEvent, sync, signal } = options
  const totalBytes = prepared.plan.tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const proven: ProvenFile[] = []
  await using threads = new RangeThreads()
  let doneBytes = 0
  for (const file of files) {
    const onBytes = (sizeBytes: number): void => {
      doneBytes += sizeBytes
      onEvent({ type: 'progress', file: file.file, doneBytes, totalBytes })
    }
    const context = { threads, onBytes, ...(signal && { signal }) }
    let proofs = await reuse(file, { ...context, staging })
    const reused = proofs !== null
    if (proofs === null) {
      const path = staging.path(file.file)
      proofs = await writeFile({ ...context, path, layout: file.layout, sources: file.sources, checkpoint, sync })
      // The data of an ONNX model means nothing by itself; the graph was made from the same places.
      if (prepared.plan.to !== 'onnx') await checkMeaning(path, file, WRITABLE_FORMATS[prepared.plan.to].tied)
      await recordProofs(staging.journal, { file: file.file, tensors: proofs })
    }
    proven.push({ ...file, proofs, reused })
    onEvent({ type: 'file-verified', file: file.file, reused })
  }
  return proven
}

async function writeOthers({ companions, generated }: PreparedConversion, staging: Staging): Promise<void> {
  for (const { file, path, sizeBytes } of companions) {
    await copyFile(path, staging.path(file)).catch(async (cause: unknown) => {
      throw await writeError(staging.path(file), { cause, neededBytes: sizeBytes })
    })
  }
  for (const { file, content } of generated) {
    await writeWholeFile(staging.path(file), content, { flush: true }).catch(async (cause: unknown) => {
      throw await writeError(staging.path(file), { cause, neededBytes: content.length })
    })
  }
}

async function checkSourceUnchanged({ sourceStates }: PreparedConversion): Promise<void> {
  for (const before of sourceStates) {
    const now = await sourceState(before.path).catch(() => null)
    if (now?.sizeBytes !== before.sizeBytes || now.modifiedMs !== before.modifiedMs)
      throw engineError('convert/source-changed', { path: before.path })
  }
}

function report({ plan, companions }: PreparedConversion, files: readonly ProvenFile[], logits: LogitsComparison | null): ConversionReport {
  const tensors: VerifiedTensor[] = files.flatMap(({ file, sources, proofs }) =>
    sources.flatMap(({ cast: _, ...planned }, index) => {
      const proof = proofs[index]
      if (!proof) return []
      const { crc32: _crc, ...shown } = proof
      return [{ ...planned, ...shown, file }]
    }),
  )
  const sum = (pick: (tensor: VerifiedTensor) => number): number => tensors.reduce((total, tensor) => total + pick(tensor), 0)
  return {
    source: plan.source,
    to: plan.to,
    out: plan.out,
    files: files.map(({ file, layout, sources, reused }) => ({ file, sizeBytes: layout.sizeBytes, tensors: sources.length, reused })),
    companions: companions.map(({ file }) => file),
    tensors,
    totals: {
      tensors: tensors.length,
      parameters: sum(({ shape }) => countElements(shape) ?? 0),
      tensorBytes: sum(({ sizeBytes }) => sizeBytes),
      fileBytes: files.reduce((total, { layout }) => total + layout.sizeBytes, 0),
      identicalTensors: tensors.filter(({ dtype, sourceDtype }) => dtype === sourceDtype).length,
      maxAbsError: tensors.reduce((most, { maxAbsError }) => Math.max(most, maxAbsError), 0),
      overflowed: sum(({ overflowed }) => overflowed),
      flushedToZero: sum(({ flushedToZero }) => flushedToZero),
    },
    dtypeChanges: plan.dtypeChanges,
    family: plan.family,
    logits,
    tied: plan.tied,
    dropped: plan.dropped,
    notes: plan.notes,
  }
}

/** More names than this in one message help nobody. */
const MAX_NAMED_TENSORS = 8

/** A mapping that leaves tensors over would be another model. Throws "convert/unmapped-tensors". */
function checkMapped({ family }: ConversionPlan): void {
  if (!family || family.unmapped.length === 0) return
  const { name, unmapped } = family
  throw engineError('convert/unmapped-tensors', { family: name, count: unmapped.length, names: unmapped.slice(0, MAX_NAMED_TENSORS) })
}

/**
 * Converts a checkpoint and returns the proof. A failure or a cancel leaves nothing behind; after a kill the same call goes on with the files
 * that were already proven. Peak memory is a few chunks of 8 MiB, plus one tensor where the source has to compute it whole.
 * Throws what planConversion throws, and "convert/disk-full", "convert/write-failed", "convert/already-running", "convert/verification-failed",
 * "convert/source-changed", "convert/unmapped-tensors", "runtime/aborted".
 */
export async function convert(
  request: ConversionRequest & { readonly onEvent?: (event: ConversionEvent) => void },
): Promise<ConversionReport> {
  const { signal, sync = true, onEvent = () => undefined } = request
  using prepared = await prepareConversion(request)
  const { plan, destination, fingerprint, files, generated, companions } = prepared
  onEvent({ type: 'plan', plan })
  checkMapped(plan)
  if (plan.neededBytes > plan.freeBytes)
    throw engineError('convert/disk-full', { path: plan.out, neededBytes: plan.neededBytes, freeBytes: plan.freeBytes })
  await using staging = await Staging.open(destination, fingerprint)
  const proven = await writeFiles(prepared, staging, { onEvent, sync, ...(signal && { signal }) })
  await writeOthers(prepared, staging)
  await checkSourceUnchanged(prepared)
  if (signal?.aborted) throw engineError('runtime/aborted', { what: 'The conversion' })
  // Another program may have put something there in the meantime.
  const replaced = await prepared.findReplaced({ resumed: staging.earlier?.finishing === true })
  // The index last: whoever finds it finds everything it names.
  const names = [...files.map(({ file }) => file), ...companions.map(({ file }) => file), ...generated.map(({ file }) => file)]
  await staging.finish(names, replaced)
  const isComparable = plan.source.tensorBytes <= MAX_COMPARED_BYTES
  const logits = isComparable ? await compareLogits({ source: plan.source.path, result: plan.out, ...(signal && { signal }) }) : null
  return report(prepared, proven, logits)
}

// Conversions as the window asks for them, and their plans and proofs as it shows them: what is long is counted and cut.
import { isOutputFormat, OUTPUT_FORMATS } from '../../../../engine/checkpoint/writers/formats'
import { convert } from '../../../../engine/convert/convert'
import { planConversion } from '../../../../engine/convert/plan'
import type { ConversionPlan, ConversionReport, ConversionRequest, FamilyPlan } from '../../../../engine/convert/types'
import { engineError } from '../../../../engine/errors'
import type { ConversionPreview, ConversionProof, FamilyMapping } from '../../../../preload/contract'
import type { ConvertProgress, PlacedOrder } from '../../workbench-protocol'

/** Names shown of each list; thousands are no help, and the count says how many there are. */
const MAX_LISTED = 200
/** Tensors shown with their proofs. */
const MAX_PROVEN_TENSORS = 100
/** How often progress is told. */
const PROGRESS_MS = 100

function toRequest(order: PlacedOrder, signal: AbortSignal): ConversionRequest {
  const { source, to, out, dtype, maxShardBytes, stripPrefix, family, tokenizer, settings, quantize, include, force } = order
  if (!isOutputFormat(to)) throw engineError('convert/not-available', { what: `Writing ${to}`, available: OUTPUT_FORMATS })
  return {
    source,
    to,
    out,
    force,
    signal,
    ...(dtype !== null && { dtype }),
    ...(maxShardBytes !== null && { maxShardBytes }),
    ...(stripPrefix !== null && { stripPrefix }),
    ...(family !== null && { family }),
    ...(tokenizer !== null && tokenizer !== undefined && { tokenizer }),
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(quantize !== null && { quantize }),
    ...(include !== null && { include }),
  }
}

/** Plans an order. Throws what planConversion throws, and "convert/not-available". */
export async function planOrder(order: PlacedOrder, signal: AbortSignal): Promise<ConversionPreview> {
  return preview(await planConversion(toRequest(order, signal)))
}

/** Runs an order. Throws what convert throws, and "convert/not-available". */
export async function runOrder(
  order: PlacedOrder,
  options: { readonly onProgress: (progress: ConvertProgress) => void; readonly signal: AbortSignal },
): Promise<ConversionProof> {
  let toldMs = 0
  const report = await convert({
    ...toRequest(order, options.signal),
    onEvent: (event) => {
      const nowMs = performance.now()
      if (event.type !== 'progress' || (nowMs - toldMs < PROGRESS_MS && event.doneBytes < event.totalBytes)) return
      toldMs = nowMs
      options.onProgress({ file: event.file, doneBytes: event.doneBytes, totalBytes: event.totalBytes })
    },
  })
  return proof(report)
}

function preview(plan: ConversionPlan): ConversionPreview {
  const { source, to, out, kind, outputs, companions, tensors, neededBytes, freeBytes, dtypeChanges, tied, dropped, replaced, notes } = plan
  const renamed = tensors.filter(({ name, sourceName }) => name !== sourceName)
  return {
    source: { path: source.path, format: source.format, files: source.files.length, tensorBytes: source.tensorBytes },
    to,
    out,
    kind,
    outputs: outputs.slice(0, MAX_LISTED),
    companions: companions.slice(0, MAX_LISTED),
    tensors: tensors.length,
    neededBytes,
    freeBytes,
    dtypeChanges,
    family: mapping(plan.family),
    candidates: plan.candidates.slice(0, MAX_LISTED),
    tied: tied.slice(0, MAX_LISTED),
    dropped: dropped.slice(0, MAX_LISTED),
    replaced: replaced.slice(0, MAX_LISTED),
    notes,
    renamed: renamed.slice(0, MAX_LISTED).map(({ sourceName, name }) => ({ from: sourceName, to: name })),
    renamedCount: renamed.length,
  }
}

function mapping(family: FamilyPlan | null): FamilyMapping | null {
  if (family === null) return null
  const { name, modelType, layout, prefix, mapped, unmapped, config } = family
  return {
    name,
    modelType,
    layout,
    prefix,
    mapped,
    unmapped: unmapped.slice(0, MAX_LISTED),
    unmappedCount: unmapped.length,
    config: config.map((field) => ({ name: field.name, value: field.value, origin: field.origin, reason: field.reason })),
  }
}

function proof(report: ConversionReport): ConversionProof {
  const { out, files, companions, totals, dtypeChanges, dropped, notes, tensors, logits } = report
  return {
    out,
    files: files.slice(0, MAX_LISTED),
    companions: companions.slice(0, MAX_LISTED),
    totals,
    dtypeChanges,
    family: mapping(report.family),
    logits: logits && {
      positions: logits.promptIds.length,
      maxAbsError: logits.maxAbsError,
      logitStd: logits.logitStd,
      sameGreedy: logits.sameGreedy,
    },
    dropped: dropped.slice(0, MAX_LISTED),
    notes,
    tensors: tensors
      .toSorted((a, b) => b.maxAbsError - a.maxAbsError)
      .slice(0, MAX_PROVEN_TENSORS)
      .map(({ name, dtype, shape, sha256, maxAbsError }) => ({ name, dtype, shape, sha256, maxAbsError })),
  }
}

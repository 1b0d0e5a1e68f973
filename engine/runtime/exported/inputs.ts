// The small inputs of one run of an exported decoder: ids, mask, positions and what else a graph asks for.
import type { ExportBorder } from '../../graph/export-border'
import type { OrtDtype, OrtRuntime, OrtValue } from '../ort-types'

/** One run: ids behind `pastTokens` earlier ones, and whether all positions or only the last one need scores. */
export interface RunPlan {
  readonly ids: readonly number[]
  readonly pastTokens: number
  readonly allLogits: boolean
}

/** Writes whole numbers as a graph takes them; a mask of booleans is a byte each. */
function fill(value: OrtValue, numbers: Iterable<number>): OrtValue {
  const { bytes, dtype } = value
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let index = 0
  for (const number of numbers) {
    if (dtype === 'I64') view.setBigInt64(8 * index, BigInt(number), true)
    else if (dtype === 'I32') view.setInt32(4 * index, number, true)
    else view.setUint8(index, number)
    index++
  }
  return value
}

function* counting(start: number, count: number): Generator<number, void, undefined> {
  for (let index = 0; index < count; index++) yield start + index
}

function* repeated(number: number, count: number): Generator<number, void, undefined> {
  for (let index = 0; index < count; index++) yield number
}

/** Makes the inputs of a run beside the cache; the caller disposes them. */
export function makeInputs(runtime: OrtRuntime, border: ExportBorder, plan: RunPlan): Record<string, OrtValue> {
  const { ids, pastTokens, allLogits } = plan
  const totalTokens = pastTokens + ids.length
  const inputs: Record<string, OrtValue> = {}
  const add = (
    port: { readonly name: string; readonly dtype: OrtDtype } | null,
    shape: readonly number[],
    numbers: Iterable<number>,
  ): void => {
    if (port !== null) inputs[port.name] = fill(runtime.allocate({ dtype: port.dtype, shape }), numbers)
  }
  add(border.inputIds, [1, ids.length], ids)
  add(border.attentionMask, [1, totalTokens], repeated(1, totalTokens))
  add(border.positionIds, [1, ids.length], counting(pastTokens, ids.length))
  add(border.useCacheBranch, [1], [pastTokens > 0 ? 1 : 0])
  // Zero asks for all of them.
  add(border.numLogitsToKeep, new Array<number>(border.numLogitsToKeep?.rank ?? 0).fill(1), [allLogits ? 0 : 1])
  add(border.seqlensK, border.seqlensK?.shape ?? [], [totalTokens - 1])
  add(border.totalSequenceLength, border.totalSequenceLength?.shape ?? [], [totalTokens])
  return inputs
}

// How the weights of a model are stored that is known by its config.json alone: the dtype that it names, and the blocks of a packed one.
import type { QuantizationScheme } from '../checkpoint/packed/scheme'
import { isJsonObject, type JsonObject } from '../bytes/json'
import { fittingBlockSize, type NBitsFormat } from '../tensor/nbits/layout'

const DTYPES = { float32: 'F32', float16: 'F16', half: 'F16', bfloat16: 'BF16' } as const

/** The dtype that a config.json names; most models are published in BF16. A wrapper's text model may name it alone. */
export function namedDtype(json: JsonObject): 'F32' | 'F16' | 'BF16' {
  for (const fields of [json, json['text_config']]) {
    if (!isJsonObject(fields)) continue
    const name = fields['dtype'] ?? fields['torch_dtype']
    const found = Object.entries(DTYPES).find(([key]) => name === key || name === `torch.${key}`)
    if (found !== undefined) return found[1]
  }
  return 'BF16'
}

/** How MatMulNBits takes a scheme's codes: those that it does not take become 8-bit codes with a scale for 32. */
export function namedBlocks(scheme: QuantizationScheme): NBitsFormat {
  const blocks = (bits: 4 | 8, group: number, symmetric: boolean): NBitsFormat => ({
    bits,
    blockSize: fittingBlockSize(group, 256),
    symmetric,
  })
  // Whole rows are any number of blocks with the same scale.
  const size = (group: number | 'row' | null): number => (typeof group === 'number' ? group : 256)
  if (scheme.method === 'gptq') return blocks(scheme.bits, size(scheme.groupSize), false)
  if (scheme.method === 'awq') return blocks(4, size(scheme.groupSize), false)
  const [group] = scheme.method === 'compressed-tensors' ? scheme.groups : []
  return group?.type === 'int' ? blocks(group.bits, size(group.groupSize), group.symmetric) : blocks(8, 32, true)
}

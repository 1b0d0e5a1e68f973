// What a tensor's numbers become: as asked for, as the format needs it, or as they are.
import type { TensorInfo } from '../checkpoint/types'
import type { WritableFormat } from '../checkpoint/writers/formats'
import { engineError } from '../errors'
import { isCastable, isExactCast, type AnyCastTarget, type CastTarget } from './cast'
import type { ConversionRequest } from './types'

/** Values of a block share a scale; rows are whole blocks. */
const BLOCK_ELEMENTS = 32
/** Tables whose rows are picked or scored: an error there is an error in every token. */
const TABLES = /^(token_embd|output)\.weight$/

/** What llama.cpp wants: vectors and positions in F32; matrices as asked for, in blocks where their rows are. */
function ggufTarget(
  tensor: TensorInfo,
  options: { readonly name: string; readonly request: ConversionRequest },
): CastTarget | AnyCastTarget | null {
  const { name, request } = options
  const { dtype, quantize } = request
  if (!isCastable(tensor.dtype)) return null
  if (tensor.shape.length < 2 || name === 'position_embd.weight') return 'F32'
  if (quantize === undefined) return dtype ?? null
  if ((tensor.shape.at(-1) ?? 0) % BLOCK_ELEMENTS !== 0) return 'F16'
  return quantize === 'q8' || TABLES.test(name) ? 'Q8_0' : 'Q4_0'
}

/**
 * The cast of a tensor whose name in the result is `name`; null where it stays as it is: the dtype asked for, or the exact wider one that a format
 * without the tensor's own needs. Throws "convert/dtype-not-in-format".
 */
export function chooseCast(
  tensor: TensorInfo,
  options: { readonly name: string; readonly request: ConversionRequest; readonly format: WritableFormat },
): AnyCastTarget | null {
  const { request, format } = options
  const asked = request.to === 'gguf' ? ggufTarget(tensor, options) : (request.dtype ?? null)
  if (asked !== null && isCastable(tensor.dtype)) {
    if (!format.holds(asked)) throw engineError('convert/dtype-not-in-format', { tensor: tensor.name, dtype: asked, format: format.name })
    return tensor.dtype === asked ? null : asked
  }
  if (format.holds(tensor.dtype)) return null
  if (isCastable(tensor.dtype) && isExactCast(tensor.dtype, 'F32')) return 'F32'
  throw engineError('convert/dtype-not-in-format', { tensor: tensor.name, dtype: tensor.dtype, format: format.name })
}

// Weight formats: the names that people choose, and what each makes of a matrix.
import type { TensorInfo } from '../checkpoint/types'
import type { PreparedForm } from '../prepared/types'
import { fittingBlockSize, type CodeBits, type MatrixShape } from '../tensor/nbits/layout'

/** Formats by name. 'stored' takes a quantized checkpoint's own codes where ONNX Runtime multiplies with them, and q8 elsewhere. */
export type WeightFormatName = 'f32' | 'f32-low-memory' | 'q8' | 'q4' | 'quality' | 'balanced' | 'fast' | 'stored'

/** Codes of so many bits with a scale for so many values. 8 bits lie around the middle, 4 bits have zero points: that is where each errs least. */
interface Wish {
  readonly bits: CodeBits
  readonly blockSize: number
}

/** Where a matrix stands in the model, as far as its format depends on it. */
export type MatrixPlace = 'first-layer' | 'head' | 'inside'

interface Recipe {
  readonly matrices: Wish
  /** The first layer: every later one computes with its errors, and families that normalize what a layer adds make them as large as the whole stream. */
  readonly firstLayer: Wish
  /** The head, whose errors no later layer evens out. */
  readonly head: Wish
  readonly takesStored: boolean
}

const Q8: Wish = { bits: 8, blockSize: 32 }
/** A ninth more bytes than blocks of 32, and a tenth less error. */
const FINE_Q8: Wish = { bits: 8, blockSize: 16 }
const Q4: Wish = { bits: 4, blockSize: 32 }
const WIDE_Q4: Wish = { bits: 4, blockSize: 64 }
const WIDEST_Q4: Wish = { bits: 4, blockSize: 128 }

const RECIPES: Readonly<Record<Exclude<WeightFormatName, 'f32' | 'f32-low-memory'>, Recipe>> = {
  q8: { matrices: Q8, firstLayer: FINE_Q8, head: Q8, takesStored: false },
  quality: { matrices: Q8, firstLayer: FINE_Q8, head: Q8, takesStored: false },
  q4: { matrices: Q4, firstLayer: Q8, head: Q8, takesStored: false },
  balanced: { matrices: WIDE_Q4, firstLayer: Q8, head: Q8, takesStored: false },
  fast: { matrices: WIDEST_Q4, firstLayer: Q8, head: WIDEST_Q4, takesStored: false },
  stored: { matrices: Q8, firstLayer: FINE_Q8, head: Q8, takesStored: true },
}

/** ONNX Runtime's kernels take blocks of 16 values and more; a narrower matrix gains nothing. */
const MIN_COLUMNS = 16

/** Whether the format computes with exact F32 weights. */
export function isExact(format: WeightFormatName): format is 'f32' | 'f32-low-memory' {
  return format === 'f32' || format === 'f32-low-memory'
}

/**
 * The format for those who want a good one: the codes of a quantized checkpoint, int8 for 16-bit weights, which the processor cannot multiply with as they are,
 * and F32 as it is.
 */
export function chooseWeightFormat(tensors: Iterable<Pick<TensorInfo, 'dtype' | 'sizeBytes'> & Partial<TensorInfo>>): WeightFormatName {
  let sixteenBitBytes = 0
  let otherBytes = 0
  for (const tensor of tensors) {
    if (tensor.storage === 'computed' && tensor.computation === 'dequantized') return 'stored'
    if (tensor.dtype === 'BF16' || tensor.dtype === 'F16') sixteenBitBytes += tensor.sizeBytes
    else otherBytes += tensor.sizeBytes
  }
  return sixteenBitBytes > otherBytes ? 'quality' : 'f32'
}

/** How a matrix is held that is multiplied with as codes. */
export type BlockForm = Exclude<PreparedForm, { kind: 'f32' }>

/** What becomes of a matrix [rows, columns] that lies row by row; null keeps it F32. */
export function matrixForm(
  name: WeightFormatName,
  matrix: { readonly tensor: TensorInfo; readonly shape: MatrixShape; readonly place: MatrixPlace; readonly layout: 'out-in' | 'in-out' },
): BlockForm | null {
  if (isExact(name) || matrix.shape.columns < MIN_COLUMNS) return null
  const recipe = RECIPES[name]
  const { tensor, shape, place, layout } = matrix
  if (recipe.takesStored && layout === 'out-in' && tensor.storage === 'computed' && tensor.quantized !== undefined) {
    return { kind: 'stored', format: tensor.quantized }
  }
  const { bits, blockSize } = place === 'head' ? recipe.head : place === 'first-layer' ? recipe.firstLayer : recipe.matrices
  return { kind: 'nbits', format: { bits, blockSize: fittingBlockSize(shape.columns, blockSize), symmetric: bits === 8 } }
}

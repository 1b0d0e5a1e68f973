// The choices of the convert sheet, and their way into an order.
import type { ConversionOrder } from '../../preload/contract'
import { t } from './i18n/texts'

const FORMAT_NAMES = {
  torch: 'formats.torch',
  pth: 'formats.pth',
  npz: 'formats.npz',
  gguf: 'formats.gguf',
  onnx: 'formats.onnx',
} as const

/** An output format as people call it; its id where it has no other name yet. */
export function formatName(id: string): string {
  return isNamed(id) ? t(FORMAT_NAMES[id]) : id
}

function isNamed(id: string): id is keyof typeof FORMAT_NAMES {
  return Object.hasOwn(FORMAT_NAMES, id)
}

/** Number formats: dtypes, and the block formats of GGUF. '' keeps each tensor's own. */
type NumberFormat = '' | 'F32' | 'BF16' | 'F16' | 'F64' | 'q8' | 'q4'

/** The number formats that an output format has. */
export function numberFormatsOf(to: string): readonly NumberFormat[] {
  return to === 'gguf' ? ['', 'F32', 'BF16', 'F16', 'q8', 'q4'] : ['', 'F32', 'BF16', 'F16', 'F64']
}

/** What an order has chosen. */
export function numberFormatOf({ dtype, quantize }: ConversionOrder): NumberFormat {
  return quantize ?? dtype ?? ''
}

/** The change of an order that a choice means. */
export function numberFormatChange(choice: string): Pick<ConversionOrder, 'dtype' | 'quantize'> {
  if (choice === 'q8' || choice === 'q4') return { dtype: null, quantize: choice }
  const dtype = choice === 'F64' || choice === 'F32' || choice === 'F16' || choice === 'BF16' ? choice : null
  return { dtype, quantize: null }
}

/** Files that a tokenizer is made from. */
const VOCABULARY = /^(tokenizer\.(json|model)|vocab\.(json|txt))$|\.(tiktoken|gguf)$|^tiktoken\.model$/

/** Whether one of a result's files holds a tokenizer, so that it can be chatted with. */
export function holdsTokenizer(files: readonly string[]): boolean {
  return files.some((file) => VOCABULARY.test(file))
}

/** Sizes of shards that are offered, in bytes; null is the format's own. */
export const SHARD_SIZES: readonly (number | null)[] = [null, 1e9, 2e9, 5e9, 10e9]

/** A typed value as the field's present value is: a number stays one, `true` and `false` stay truth values. */
export function readAnswer(typed: string, present: string | number | boolean | null): string | number | boolean | null {
  const text = typed.trim()
  if (typeof present === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  const number = Number(text)
  if (typeof present !== 'string' && text !== '' && Number.isFinite(number)) return number
  return text === '' || text === 'null' ? null : text
}

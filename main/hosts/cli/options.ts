// Parsers of option values: what is not a value of the option is wrong usage (exit 2), before anything is opened.
import { InvalidArgumentError, Option } from 'commander'
import type { FormatOverride } from '../../../engine/graph/format-override'
import type { WeightFormatName } from '../../../engine/graph/weight-format'

/** A parser of numbers from `min` to `max`. */
export function numberFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !(value >= min && value <= max)) throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`)
    return value
  }
}

/** A parser of whole numbers from `min` to `max`. */
export function integerFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !(value >= min && value <= max))
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
    return value
  }
}

/** Collects the values of an option that may be given several times. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

/** Token ids separated by commas or spaces. */
export function tokenIdList(text: string): readonly number[] {
  const parts = text.split(/[\s,]+/).filter((part) => part.length > 0)
  if (parts.length === 0 || parts.some((part) => !/^\d+$/.test(part)))
    throw new InvalidArgumentError('It must be token ids separated by commas.')
  return parts.map(Number)
}

/** `--threads`: at most what any machine of today has. */
export const threadsOption = (): Option => new Option('--threads <n>', 'processor threads').argParser(integerFrom(1, 1024))

/** `--runtime`, which the tests of both bindings use. */
export const runtimeOption = (): Option =>
  new Option('--runtime <binding>', 'how ONNX Runtime is called').choices(['c-api', 'node-binding']).hideHelp()

/** Names of the weight formats (engine/graph/weight-format.ts), which must not be loaded for `--help`. */
const FORMATS = [
  'f32',
  'f32-low-memory',
  'q8',
  'q4',
  'quality',
  'balanced',
  'fast',
  'stored',
] as const satisfies readonly WeightFormatName[]

/** `--format`: how the weights are computed with. 'auto' takes int8 for 16-bit checkpoints, and a quantized one's own codes. */
export const formatOption = (fallback: WeightFormatName | 'auto'): Option =>
  new Option('--format <format>', 'number format of the weights').choices(['auto', ...FORMATS]).default(fallback)

/** `--format-override PATTERN=FORMAT`, which may be given several times. */
export const formatOverrideOption = (): Option =>
  new Option(
    '--format-override <pattern=format>',
    "another format for matrices of such names, as in 'layers.0.*=f32'; may be repeated",
  ).argParser((text: string, before: readonly FormatOverride[] | undefined): readonly FormatOverride[] => {
    const [, pattern = '', name = ''] = /^(.{1,256})=([^=]*)$/.exec(text) ?? []
    const format = FORMATS.find((each) => each === name.trim())
    if (pattern.trim() === '' || format === undefined)
      throw new InvalidArgumentError(`It must be PATTERN=FORMAT, with one of ${FORMATS.join(', ')}.`)
    return [...(before ?? []), { pattern: pattern.trim(), format }]
  })

/** Weight formats separated by commas. */
export function formatList(text: string): readonly WeightFormatName[] {
  const names = text.split(',').map((name) => FORMATS.find((format) => format === name.trim()))
  const formats = names.filter((name) => name !== undefined)
  if (formats.length < names.length) throw new InvalidArgumentError(`It must be formats separated by commas, of ${FORMATS.join(', ')}.`)
  return formats
}

/** `--device-map`: where the layers go. */
export const deviceMapOption = (): Option =>
  new Option('--device-map <map>', 'where the layers go').choices(['auto', 'cpu']).default('auto')

/** `--tokenizer`: training scripts keep it apart from the weights. */
export const tokenizerOption = (): Option =>
  new Option('--tokenizer <path>', 'folder of the tokenizer, where it does not lie beside the weights')

/** `--trust-tokenizer`: the hash of a model's own tokenizer code, from the error that asks for it. */
export const trustTokenizerOption = (): Option =>
  new Option('--trust-tokenizer <hash>', "run the model's own Python tokenizer with this hash, in a sandbox").argParser((text) => {
    if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('It must be the hash that the error message names.')
    return text
  })

/** What `--trust-tokenizer` means to the engine. */
export function trustedCode(options: { readonly trustTokenizer?: string }): { readonly trustedCode: readonly string[] } {
  return { trustedCode: options.trustTokenizer === undefined ? [] : [options.trustTokenizer] }
}

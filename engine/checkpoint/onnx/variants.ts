// Which ONNX file of a model folder is its decoder. Names follow optimum (model, decoder_model, decoder_model_merged) and transformers.js 3 (`_fp16`, `_quantized`, `_q4`, ... in a folder `onnx`).
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileError } from '../../bytes/random-access-file'
import { EngineError, engineError } from '../../errors'
import { createExternalFiles } from './external-data'
import { externalLocations } from './outline'
import { nameSome, note, type Note } from '../../notes'

/** A decoder file of a folder; `format` is what the name says about its numbers. */
interface OnnxVariant {
  readonly path: string
  readonly format: string
}

/** The variants of one folder in the order of preference. */
export interface OnnxChoice {
  readonly chosen: OnnxVariant
  readonly others: readonly OnnxVariant[]
  readonly notes: readonly Note[]
}

/** Folder of the exports inside a model folder. */
const ONNX_FOLDER = 'onnx'

/** Stems of a decoder, the first found wins: a merged one keeps a cache where a plain decoder_model recomputes. */
const STEMS = ['model', 'decoder_model_merged', 'decoder_model', 'decoder'] as const

/** By suffix: what is exact first, then what loses least, then what the CPU has to widen or decode slowly. */
const FORMATS: readonly { readonly suffix: string; readonly format: string }[] = [
  { suffix: '', format: 'f32' },
  { suffix: '_fp32', format: 'f32' },
  { suffix: '_quantized', format: 'q8' },
  { suffix: '_q8', format: 'q8' },
  { suffix: '_int8', format: 'int8' },
  { suffix: '_uint8', format: 'uint8' },
  { suffix: '_fp16', format: 'f16' },
  { suffix: '_q4', format: 'q4' },
  { suffix: '_q4f16', format: 'q4f16' },
  { suffix: '_bnb4', format: 'bnb4' },
]

/** Other names for a format that people write. */
const ALIASES: Readonly<Record<string, string>> = { fp32: 'f32', fp16: 'f16', quantized: 'q8' }

/** Files looked at in one folder. */
const MAX_NAMES = 10_000

async function fileNames(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .slice(0, MAX_NAMES)
  } catch (cause) {
    const error = fileError(directory, cause)
    if (error instanceof EngineError && error.code === 'bytes/not-found') return []
    throw error
  }
}

/** The decoder files of a list of names, preferred first. */
function variantsAmong(directory: string, names: readonly string[]): readonly OnnxVariant[] {
  const present = new Set(names)
  const known = STEMS.flatMap((stem) => FORMATS.map(({ suffix, format }) => ({ name: `${stem}${suffix}.onnx`, format, stem })))
  const found = known.filter(({ name }) => present.has(name))
  const best = found[0]?.stem
  const sameStem = found.filter(({ stem }) => stem === best).map(({ name, format }) => ({ path: join(directory, name), format }))
  if (sameStem.length > 0) return sameStem
  const others = names.filter((name) => name.endsWith('.onnx'))
  const [only] = others
  return only !== undefined && others.length === 1 ? [{ path: join(directory, only), format: formatOfName(only) }] : []
}

/** What a file's name says about its numbers; a name that says nothing is f32. */
export function formatOfName(name: string): string {
  const stem = basename(name, '.onnx')
  return FORMATS.find(({ suffix }) => suffix !== '' && stem.endsWith(suffix))?.format ?? 'f32'
}

/** The decoder files of a model folder and of its folder `onnx`, preferred first; none when it has no exported decoder. */
async function listOnnxVariants(directory: string): Promise<readonly OnnxVariant[]> {
  const inside = await fileNames(join(directory, ONNX_FOLDER))
  const exported = variantsAmong(join(directory, ONNX_FOLDER), inside)
  return exported.length > 0 ? exported : variantsAmong(directory, await fileNames(directory))
}

async function isComplete(variant: OnnxVariant): Promise<boolean> {
  const files = createExternalFiles(variant.path)
  try {
    for (const location of await externalLocations(variant.path)) await files.get(location)
    return true
  } catch (error) {
    if (error instanceof EngineError && error.code === 'checkpoint/missing-shard') return false
    // Anything else that is wrong with the preferred file is said when it is opened.
    if (error instanceof EngineError) return true
    throw error
  }
}

/**
 * Chooses the decoder of a folder: the variant of `format` where one is asked for, else the first whose data files are all there.
 * Null when the folder has no exported decoder. Throws "checkpoint/onnx-no-variant" and what reading a model throws.
 */
export async function chooseOnnxVariant(directory: string, options: { readonly format?: string } = {}): Promise<OnnxChoice | null> {
  const variants = await listOnnxVariants(directory)
  const [first] = variants
  if (first === undefined) return null
  const choose = (chosen: OnnxVariant, notes: readonly Note[]): OnnxChoice => ({
    chosen,
    others: variants.filter((other) => other !== chosen),
    notes,
  })
  if (options.format !== undefined) {
    const format = ALIASES[options.format] ?? options.format
    const wanted = variants.find((variant) => variant.format === format)
    const available = variants.map((variant) => variant.format)
    if (wanted === undefined) throw engineError('checkpoint/onnx-no-variant', { directory, format: options.format, available })
    return choose(wanted, [])
  }
  for (const variant of variants) {
    if (variants.length > 1 && !(await isComplete(variant))) continue
    const skipped = variants.slice(0, variants.indexOf(variant)).map(({ path }) => basename(path))
    return choose(variant, skipped.length === 0 ? [] : [note('checkpoint/variants-incomplete', { files: nameSome(skipped) })])
  }
  return choose(first, [])
}

/** The model folder that an ONNX file belongs to: the one above when the file lies in `onnx`. */
export function modelFolderOfOnnx(path: string): string {
  const folder = dirname(path)
  return basename(folder) === ONNX_FOLDER ? dirname(folder) : folder
}

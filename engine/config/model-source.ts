// What a path names to run: a checkpoint with its config.json, a GGUF file, or an exported ONNX decoder.
import { readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileError } from '../bytes/random-access-file'
import { chooseWeights, safetensorsAreTheModel } from '../checkpoint/choose-weights'
import { detectFileKind } from '../checkpoint/file-kind'
import { chooseOnnxVariant, modelFolderOfOnnx } from '../checkpoint/onnx/variants'
import { EngineError } from '../errors'
import { loadGenaiConfig } from './export-config'

/** A model to run. `directory` holds its configuration and tokenizer (a GGUF file brings its own); `path` is what to open as a checkpoint. Both are absolute. */
export type ModelSource =
  | { readonly kind: 'checkpoint'; readonly directory: string; readonly path: string }
  | { readonly kind: 'onnx' | 'gguf'; readonly directory: string; readonly path: string }

async function sourceOfFile(path: string): Promise<ModelSource> {
  const kind = await detectFileKind(path)
  if (kind === 'onnx') return { kind, directory: modelFolderOfOnnx(path), path }
  return { kind: kind === 'gguf' ? kind : 'checkpoint', directory: dirname(path), path }
}

/** The ONNX file that a genai_config.json names, where the model does not lie beside it as safetensors. */
async function genaiFile(directory: string, names: readonly string[]): Promise<string | null> {
  if (!names.includes('genai_config.json') || safetensorsAreTheModel(names)) return null
  const config = await loadGenaiConfig(directory)
  return config === null ? null : join(directory, config.fileName)
}

async function sourceOfFolder(directory: string, options: { readonly format?: string }): Promise<ModelSource> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(directory, cause)
  })
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
  const genai = await genaiFile(directory, names)
  if (genai !== null) return { kind: 'onnx', directory, path: genai }
  const checkpoint = { kind: 'checkpoint', directory, path: directory } as const
  try {
    const choice = await chooseWeights(directory, names)
    if (choice.kind !== 'file') return checkpoint
    const kind = await detectFileKind(join(directory, choice.name))
    if (kind === 'gguf') return { kind, directory, path: join(directory, choice.name) }
    if (kind !== 'onnx') return checkpoint
    const variant = options.format === undefined ? null : await chooseOnnxVariant(directory, { format: options.format })
    return { kind: 'onnx', directory, path: variant?.chosen.path ?? join(directory, choice.name) }
  } catch (error) {
    // A folder without readable weights fails as a checkpoint, with the reader's own words.
    if (error instanceof EngineError && error.code !== 'checkpoint/onnx-no-variant') return checkpoint
    throw error
  }
}

/**
 * Finds what a path names: a model folder, one of its weight files, or an exported model. `format` chooses among the variants of an export
 * (f32, f16, q8, int8, uint8, q4, q4f16, bnb4).
 * Throws "bytes/not-found", "checkpoint/onnx-no-variant" and the codes of loadGenaiConfig.
 */
export async function findModelSource(path: string, options: { readonly format?: string } = {}): Promise<ModelSource> {
  const absolute = resolve(path)
  let isFolder: boolean
  try {
    isFolder = (await stat(absolute)).isDirectory()
  } catch (cause) {
    throw fileError(absolute, cause)
  }
  return isFolder ? sourceOfFolder(absolute, options) : sourceOfFile(absolute)
}

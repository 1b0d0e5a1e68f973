// What `inspect` reports about a model folder or a weight file.
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { JsonObject } from '../bytes/json'
import { openCheckpoint } from '../checkpoint/open'
import type { Checkpoint, CheckpointFormat, TensorInfo } from '../checkpoint/types'
import type { DecoderConfig } from '../config/decoder-config'
import { loadOwnRow } from '../config/own-row'
import { readConfigJson, readDecoderConfig } from '../config/read-config'
import { readQuantization } from '../config/read-quantization'
import { describeScheme } from '../checkpoint/packed/scheme'
import { EngineError } from '../errors'
import { note, type Note } from '../notes'
import { listTokenizerFiles, tokenizerFolder, type TokenizerFiles } from './model-files'
import { summarizeWeights, type WeightSummary } from './weight-summary'

/** Everything `inspect` knows from headers and configuration. `config` is the file as written, `decoder` its meaning where the family is supported. */
export interface Inspection extends WeightSummary {
  readonly path: string
  readonly format: CheckpointFormat
  readonly files: Checkpoint['files']
  readonly config?: JsonObject
  readonly decoder?: DecoderConfig
  /** How the matrices are packed, where they are. The tensors are those of the files. */
  readonly quantization?: { readonly method: string; readonly description: string }
  readonly tokenizer?: TokenizerFiles
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: readonly TensorInfo[]
  readonly notes: readonly Note[]
}

interface InspectOptions {
  /** The tokenizer's folder, where it does not lie beside the weights. */
  readonly tokenizer?: string
  readonly supportedModelTypes?: readonly string[]
  readonly signal?: AbortSignal
}

/** A failure as a remark; its code has a sentence like those of remarks. */
function noteOf({ code, message, details }: EngineError): Note {
  const data = Object.entries(details).flatMap(([name, value]): readonly (readonly [string, string | number])[] => {
    if (typeof value === 'number' || typeof value === 'string') return [[name, value]]
    return Array.isArray(value) ? [[name, value.join(', ')]] : []
  })
  return { code, data: Object.fromEntries(data), text: message }
}

/** A configuration that is missing or not understood is a remark here: the tensors can be looked at all the same. */
async function inspectConfig(directory: string, options: InspectOptions) {
  const { supportedModelTypes, signal } = options
  let config: JsonObject | undefined
  try {
    config = await readConfigJson(directory, signal ? { signal } : {})
    const row = await loadOwnRow(directory, signal ? { signal } : {})
    const decoder = readDecoderConfig(config, {
      ...(row && { row }),
      path: join(directory, 'config.json'),
      ...(supportedModelTypes && { supportedModelTypes }),
    })
    const scheme = readQuantization(config, join(directory, 'config.json'))
    if (scheme === null) return { config, decoder, notes: [] }
    const description = describeScheme(scheme)
    const notes = [note('checkpoint/quantized', { scheme: description }), ...scheme.notes]
    return { config, decoder, quantization: { method: scheme.method, description }, notes }
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'runtime/aborted') throw error
    return { ...(config && { config }), notes: [noteOf(error)] }
  }
}

/**
 * Inspects a model folder, a weight file or a shard index; only headers are read, tensors come in the order of their files.
 * Throws what openCheckpoint throws.
 */
export async function inspectCheckpoint(path: string, options: InspectOptions = {}): Promise<Inspection> {
  const absolute = resolve(path)
  using checkpoint = await openCheckpoint(absolute, options.signal ? { signal: options.signal } : {})
  const { format, files, metadata } = checkpoint
  const tensors = [...checkpoint.tensors.values()]
  const content = { path: absolute, format, files, metadata, tensors, ...summarizeWeights(tensors) }
  const elsewhere = options.tokenizer === undefined ? null : await listTokenizerFiles(await tokenizerFolder(options.tokenizer))
  if (!(await stat(absolute)).isDirectory()) return { ...content, ...(elsewhere && { tokenizer: elsewhere }), notes: checkpoint.notes }
  const { notes, ...config } = await inspectConfig(absolute, options)
  const tokenizer = elsewhere ?? (await listTokenizerFiles(absolute))
  return { ...content, ...config, ...(tokenizer.files.length > 0 && { tokenizer }), notes: [...checkpoint.notes, ...notes] }
}

// A summary of a model folder for a list of models: cheap, from config.json and weight headers alone.
import { contextLengthTokens } from '../graph/rope/context-length'
import { basename, join, resolve } from 'node:path'
import { openCheckpoint } from '../checkpoint/open'
import { openModelCheckpoint } from '../config/open-model-checkpoint'
import { loadOwnRow } from '../config/own-row'
import type { JsonObject } from '../bytes/json'
import { readConfigJson, readDecoderConfig } from '../config/read-config'
import { readQuantization } from '../config/read-quantization'
import { findModelSource, type ModelSource } from '../config/model-source'
import { EngineError, engineError, type ErrorCode } from '../errors'
import type { Dtype } from '../tensor/dtype'
import { describeExport, describeGguf } from './describe-file-model'
import { listTokenizerFiles, modelName } from './model-files'
import { summarizeWeights } from './weight-summary'

/** ready: everything needed is there and understood; unsupported: complete but of a kind that is not run yet; incomplete: something is missing or cut off; broken: contradictory or damaged. */
type ModelState = 'ready' | 'unsupported' | 'incomplete' | 'broken'

/** What a model list shows. Fields are null where the folder does not say. `error` is null exactly when the state is ready. */
export interface ModelSummary {
  readonly path: string
  readonly name: string
  readonly modelType: string | null
  /** The dtype that most weights are stored in, or the block type or variant where they are quantized. */
  readonly dtype: string | null
  readonly parameterCount: number | null
  readonly weightBytes: number | null
  readonly contextLength: number | null
  readonly state: ModelState
  readonly error: EngineError | null
}

const INCOMPLETE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'bytes/not-found',
  'bytes/short-read',
  'config/missing',
  'tokenizer/missing',
  'checkpoint/no-weights',
  'checkpoint/missing-shard',
  'checkpoint/truncated-file',
  'checkpoint/empty-file',
  'checkpoint/lfs-pointer',
  'checkpoint/header-truncated',
  'checkpoint/header-beyond-file',
  'checkpoint/pickle-truncated',
  'checkpoint/storage-too-short',
  'bytes/zip-truncated',
  'checkpoint/gguf-missing-part',
  'checkpoint/gguf-truncated-header',
])

const UNSUPPORTED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'config/bad-row',
  'config/missing-model-type',
  'config/unknown-model-type',
  'config/unsupported-switch',
  'checkpoint/unsupported-format',
  'checkpoint/unsupported-weight-dtype',
  'checkpoint/unknown-format',
  'checkpoint/compressed-archive',
  'checkpoint/gguf-version',
  'checkpoint/gguf-unknown-tensor-type',
  'checkpoint/gguf-big-endian-blocks',
  'checkpoint/ambiguous-weights',
  'config/gguf-architecture',
  'graph/export-unknown-input',
  'graph/export-missing-port',
  'graph/export-port-shape',
  'graph/export-port-dtype',
  'graph/export-cache-gap',
  'graph/export-custom-operator',
  'tokenizer/unsupported',
])

/** Which state an error puts a model into. */
function stateOf(error: EngineError): ModelState {
  if (INCOMPLETE.has(error.code)) return 'incomplete'
  return UNSUPPORTED.has(error.code) ? 'unsupported' : 'broken'
}

/** Dtypes that a decoder's weights may have. */
const WEIGHT_DTYPES: ReadonlySet<Dtype> = new Set<Dtype>(['F32', 'F16', 'BF16'])

/** Keeps an engine failure as data; a cancel stays an exception. */
function asModelProblem(error: unknown): EngineError {
  if (error instanceof EngineError && error.code !== 'runtime/aborted') return error
  throw error
}

interface DescribeOptions {
  readonly supportedModelTypes?: readonly string[]
  readonly signal?: AbortSignal
}

async function describeConfig(directory: string, { supportedModelTypes, signal }: DescribeOptions) {
  let modelType: string | null = null
  try {
    const json = await readConfigJson(directory, signal ? { signal } : {})
    if (typeof json['model_type'] === 'string') modelType = json['model_type']
    const row = await loadOwnRow(directory, signal ? { signal } : {})
    const config = readDecoderConfig(json, {
      ...(row && { row }),
      path: join(directory, 'config.json'),
      ...(supportedModelTypes && { supportedModelTypes }),
    })
    return { modelType, contextLength: contextLengthTokens(config), error: null }
  } catch (error) {
    return { modelType, contextLength: null, error: asModelProblem(error) }
  }
}

/** The weights of a model whose matrices are packed, by what they stand for and the bytes they take; null for others. */
async function describePacked(directory: string, cancel: { readonly signal?: AbortSignal }) {
  const json = await readConfigJson(directory, cancel).catch((error: unknown) => {
    asModelProblem(error)
    return null
  })
  // A quantization that is not supported is the configuration's problem, which is told already.
  if (json === null || !isPacked(json)) return null
  using checkpoint = await openModelCheckpoint({ directory, path: directory }, cancel)
  const { parameterCount } = summarizeWeights(checkpoint.tensors.values())
  const weightBytes = checkpoint.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return { parameterCount, weightBytes, dtype: checkpoint.packing?.label ?? null, error: null }
}

function isPacked(json: JsonObject): boolean {
  try {
    return readQuantization(json, 'config.json') !== null
  } catch (error) {
    asModelProblem(error)
    return false
  }
}

async function describeWeights(directory: string, { signal }: DescribeOptions) {
  try {
    const cancel = signal ? { signal } : {}
    const packed = await describePacked(directory, cancel)
    if (packed !== null) return packed
    using checkpoint = await openCheckpoint(directory, cancel)
    const weights = summarizeWeights(checkpoint.tensors.values())
    const { dtype } = weights
    const supported = dtype === null || WEIGHT_DTYPES.has(dtype)
    const error = supported
      ? null
      : engineError('checkpoint/unsupported-weight-dtype', { path: directory, dtype, supported: [...WEIGHT_DTYPES] })
    return { ...weights, error }
  } catch (error) {
    return { dtype: null, parameterCount: null, weightBytes: null, error: asModelProblem(error) }
  }
}

/** A GGUF file, or a model that is an exported graph; null for a folder of weights with a configuration. */
async function describeOtherKind(path: string, { signal }: DescribeOptions): Promise<ModelSummary | null> {
  const cancel = signal ? { signal } : {}
  let source: ModelSource
  try {
    source = await findModelSource(path)
  } catch (error) {
    asModelProblem(error)
    return null
  }
  if (source.kind === 'checkpoint') return null
  const name = source.kind === 'gguf' || path === source.path ? modelFileName(source.path) : modelName(source.directory)
  try {
    const described = source.kind === 'gguf' ? await describeGguf(source.path, cancel) : await describeExport(source, cancel)
    return { path, name, ...described, state: 'ready', error: null }
  } catch (failure) {
    const error = asModelProblem(failure)
    return { path, name, ...UNKNOWN_MODEL, state: stateOf(error), error }
  }
}

/** The library's name of a model that is one file. */
function modelFileName(path: string): string {
  return basename(path).replace(/\.(gguf|onnx)$/i, '')
}

const UNKNOWN_MODEL = { modelType: null, dtype: null, parameterCount: null, weightBytes: null, contextLength: null } as const

/**
 * Describes a model folder, GGUF file or ONNX file; problems of the model become its state, never an exception.
 * Throws "bytes/not-found" or "bytes/unreadable" only when the folder itself cannot be listed, and "runtime/aborted".
 */
export async function describeModelDirectory(path: string, options: DescribeOptions = {}): Promise<ModelSummary> {
  const directory = resolve(path)
  const other = await describeOtherKind(directory, options)
  if (other !== null) return other
  const tokenizer = await listTokenizerFiles(directory)
  const { error: configError, ...config } = await describeConfig(directory, options)
  const { error: weightsError, ...weights } = await describeWeights(directory, options)
  const tokenizerError = tokenizer.complete ? null : engineError('tokenizer/missing', { directory })
  // A family that is not supported comes first: finishing the download would not help.
  const error = configError ?? weightsError ?? tokenizerError
  return { path: directory, name: modelName(directory), ...config, ...weights, state: error ? stateOf(error) : 'ready', error }
}

// Models that are one file, for a list of models: GGUF, and exported ONNX graphs. Read from headers, configurations and the graph's outline.
import type { TensorInfo } from '../checkpoint/types'
import { openOnnx } from '../checkpoint/onnx/onnx'
import { readOnnxOutline } from '../checkpoint/onnx/outline'
import { formatOfName } from '../checkpoint/onnx/variants'
import { loadExportConfig } from '../config/export-config'
import { openGgufModel } from '../config/gguf/open-gguf-model'
import type { ModelSource } from '../config/model-source'
import { engineError } from '../errors'
import { matchExportBorder } from '../graph/export-border'
import { contextLengthTokens } from '../graph/rope/context-length'
import { listTokenizerFiles } from './model-files'
import { summarizeWeights } from './weight-summary'

/** What a list shows of a model that is understood. */
interface DescribedModel {
  readonly modelType: string
  readonly dtype: string | null
  readonly parameterCount: number | null
  readonly weightBytes: number
  readonly contextLength: number | null
}

interface Options {
  readonly signal?: AbortSignal
}

/** Bytes in the file, and what most of them are. */
function storedWeights(tensors: Iterable<TensorInfo>): { readonly weightBytes: number; readonly dtype: string | null } {
  const byType = new Map<string, number>()
  for (const tensor of tensors) {
    const block = tensor.storage === 'computed' ? tensor.block : undefined
    const type = block?.type ?? tensor.dtype
    byType.set(type, (byType.get(type) ?? 0) + (block?.sizeBytes ?? tensor.sizeBytes))
  }
  const [largest] = [...byType].sort(([, a], [, b]) => b - a)
  return { weightBytes: [...byType.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0), dtype: largest?.[0] ?? null }
}

/** Describes a GGUF file. Throws what openGgufModel throws. */
export async function describeGguf(path: string, options: Options): Promise<DescribedModel> {
  const { config, checkpoint } = await openGgufModel(path, options)
  using source = checkpoint
  const { parameterCount } = summarizeWeights(source.tensors.values())
  return {
    modelType: config.modelType,
    contextLength: contextLengthTokens(config),
    parameterCount,
    ...storedWeights(source.tensors.values()),
  }
}

/** Describes an exported model. Throws what its readers and matchExportBorder throw, and "tokenizer/missing". */
export async function describeExport(source: ModelSource, options: Options): Promise<DescribedModel> {
  const { directory, path } = source
  const config = await loadExportConfig(directory, options)
  using checkpoint = await openOnnx(path, options)
  matchExportBorder(await readOnnxOutline(path, options), config)
  if (!(await listTokenizerFiles(directory)).complete) throw engineError('tokenizer/missing', { directory })
  const { parameterCount, weightBytes, dtype } = summarizeWeights(checkpoint.tensors.values())
  const isFloat = dtype === 'F32' || dtype === 'F16' || dtype === 'BF16'
  const format = formatOfName(path)
  return {
    modelType: config.modelType,
    contextLength: config.contextLength,
    weightBytes,
    dtype: isFloat || format === 'f32' ? dtype : format,
    // Packed codes are several parameters in a byte.
    parameterCount: isFloat ? parameterCount : null,
  }
}

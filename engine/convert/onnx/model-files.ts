// The files of an exported decoder beside its data: the graph, and what onnxruntime-genai needs to know of it (genai_config.json, version 0.9).
import type { JsonValue } from '../../bytes/json'
import type { TensorInfo } from '../../checkpoint/types'
import type { FileLayout } from '../../checkpoint/writers/file-layout'
import { GENAI_CONFIG_FILE } from '../../config/export-config'
import type { DecoderConfig } from '../../config/decoder-config'
import { readDecoderConfig } from '../../config/read-config'
import { cacheHeadDim } from '../../graph/blocks/heads'
import { buildExportGraph } from '../../graph/export-decoder'
import { isBlockTarget } from '../cast'

/** Name of the graph. */
const MODEL_FILE = 'model.onnx'

/** What onnxruntime-genai reads. Keys are its own. */
function genaiConfig(config: DecoderConfig): JsonValue {
  const { bosTokenId, eosTokenIds, padTokenId } = config
  const [firstEnd] = eosTokenIds
  return {
    model: {
      ...(bosTokenId !== null && { bos_token_id: bosTokenId }),
      context_length: config.maxPositionEmbeddings,
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        filename: MODEL_FILE,
        head_size: cacheHeadDim(config),
        hidden_size: config.hiddenSize,
        inputs: {
          input_ids: 'input_ids',
          attention_mask: 'attention_mask',
          past_key_names: 'past_key_values.%d.key',
          past_value_names: 'past_key_values.%d.value',
        },
        outputs: { logits: 'logits', present_key_names: 'present.%d.key', present_value_names: 'present.%d.value' },
        num_attention_heads: config.numAttentionHeads,
        num_hidden_layers: config.numHiddenLayers,
        num_key_value_heads: config.numKeyValueHeads,
      },
      ...(firstEnd !== undefined && { eos_token_id: eosTokenIds.length === 1 ? firstEnd : eosTokenIds }),
      pad_token_id: padTokenId ?? firstEnd ?? 0,
      type: config.modelType,
      vocab_size: config.vocabSize,
    },
    search: {
      diversity_penalty: 0,
      do_sample: false,
      early_stopping: true,
      length_penalty: 1,
      max_length: config.maxPositionEmbeddings,
      min_length: 0,
      no_repeat_ngram_size: 0,
      num_beams: 1,
      num_return_sequences: 1,
      past_present_share_buffer: false,
      repetition_penalty: 1,
      temperature: 1,
      top_k: 1,
      top_p: 1,
    },
  }
}

/** Where the tensors will lie, as the graph needs it. */
function placedTensors(data: { readonly file: string; readonly layout: FileLayout }): ReadonlyMap<string, TensorInfo> {
  const placed = new Map<string, TensorInfo>()
  for (const { tensor, offsetBytes } of data.layout.slots) {
    const { name, dtype, shape, sizeBytes } = tensor
    if (!isBlockTarget(dtype)) placed.set(name, { name, dtype, shape, sizeBytes, file: data.file, offsetBytes })
  }
  return placed
}

/** Makes the files. `json` is the model's config.json. Throws what buildExportGraph and reading the configuration throw. */
export function onnxFiles(
  json: JsonValue,
  data: { readonly file: string; readonly layout: FileLayout },
): readonly { readonly file: string; readonly content: Uint8Array | string }[] {
  const config = readDecoderConfig(json)
  return [
    { file: GENAI_CONFIG_FILE, content: `${JSON.stringify(genaiConfig(config), null, 2)}\n` },
    { file: MODEL_FILE, content: buildExportGraph({ config, tensors: placedTensors(data), location: data.file }) },
  ]
}

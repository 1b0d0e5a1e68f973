// The built-in model as the fake bridge knows it.
import type { LoadedModelInfo, ModelEntry } from '../../preload/contract'
import { SAMPLING_OFF } from '../../preload/contract-sampling-off'

/** The built-in model as the library would list it. */
export const guideEntry: ModelEntry = {
  id: 'guide',
  name: 'guide',
  source: 'built-in',
  path: '/opt/weightroom/resources/guide',
  sizeBytes: 21_600_000,
  modelType: 'llama',
  dtype: 'BF16',
  parameterCount: 10_800_000,
  contextLength: 2048,
  state: 'ready',
  problem: null,
  description: null,
}

/** The built-in model, loaded. */
export const guideLoaded: LoadedModelInfo = {
  modelId: 'guide',
  name: 'guide',
  modelType: 'llama',
  contextLength: 2048,
  runtime: 'c-api',
  executionProvider: 'CPUExecutionProvider',
  weightFormat: 'quality',
  threads: 2,
  loadMs: 412,
  residentBytes: 148_000_000,
  defaultSampling: {
    temperature: 0.7,
    topK: 40,
    topP: 0.95,
    minP: 0,
    repetitionPenalty: 1.05,
    seed: null,
    maxNewTokens: null,
    stop: [],
    ...SAMPLING_OFF,
  },
  chatTemplateSource: 'tokenizer_config.json',
  templateFallback: null,
}

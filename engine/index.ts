// The engine as a library: its public surface, and the only barrel file.
export { openCheckpoint } from './checkpoint/open'
export type { Checkpoint, CheckpointFormat, TensorInfo } from './checkpoint/types'
export type { DecoderConfig, GenerationDefaults } from './config/decoder-config'
export { loadDecoderConfig } from './config/read-config'
export { convert } from './convert/convert'
export { planConversion } from './convert/plan'
export type {
  ConfigReason,
  ConfigValue,
  ConversionEvent,
  ConversionPlan,
  ConversionReport,
  ConversionRequest,
  FamilyPlan,
  LogitsComparison,
  PlannedConfigField,
} from './convert/types'
export { EngineError } from './errors'
export type { ErrorCode } from './errors'
export { applyLogitsProcessors } from './generate/apply-logits-processors'
export type { LogitsSettings } from './generate/logits-settings'
export { generate } from './generate/generate'
export type { GenerateOptions, GenerationModel } from './generate/generate-options'
export { loadModel } from './generate/load-model'
export type { LoadedModel, LoadModelOptions } from './generate/load-model'
export { renderChat } from './generate/render-chat'
export type { RenderChatOptions } from './generate/render-chat'
export type { Sequence } from './generate/sequence'
export type { FinishReason, GenerateEvent, GenerationStats, SamplingSettings } from './generate/types'
export { inspectCheckpoint } from './inspect/inspect-checkpoint'
export type { Inspection } from './inspect/inspect-checkpoint'
export type { Note } from './notes'
export { planDeviceMap } from './plan/plan-device-map'
export type { PlanRequest } from './plan/plan-device-map'
export type { DeviceDescription, DeviceMap, MachineDescription, MapStage, MemoryPrediction } from './plan/types'
export { describeMachine } from './runtime/machine'
export type { DecoderModel, KvCache } from './runtime/model-types'
export { loadChatTemplate } from './tokenizer/chat-template'
export { loadTokenizer } from './tokenizer/load'
export type { ChatMessage, ChatTemplate, StreamDecoder, Tokenizer } from './tokenizer/types'

// The engine as chats see it: whichever model is loaded answers; the chosen one is loaded first when there is none.
import type { LoadedModelInfo } from '../../preload/contract'
import type { ReplyEngine, ReplyModel } from '../chats/ports'
import { serviceError } from '../service-error'
import type { EngineService } from './engine-service'

/** Plugs the engine into the chats. `load` loads a library model by id. */
export function createReplyEngine(options: {
  readonly engine: EngineService
  readonly load: (modelId: string) => Promise<LoadedModelInfo>
  readonly defaultModelId: () => string
}): ReplyEngine {
  const { engine, load, defaultModelId } = options

  /** The model that a reply asked for now would come from. */
  function chosenModelId(): string {
    const state = engine.state()
    if (state.status === 'ready') return state.model.modelId
    if (state.status === 'loading' || state.status === 'failed') return state.modelId
    if (state.status === 'crashed') return state.modelId ?? defaultModelId()
    return defaultModelId()
  }

  function replyModel(info: LoadedModelInfo, path: string): ReplyModel {
    return {
      name: info.name,
      defaultSampling: info.defaultSampling,
      generate: async ({ messages, sampling, prefix, onFrame, signal }) =>
        await engine.request('generate', { path, messages, sampling, prefix }, { onEvent: onFrame, signal }),
    }
  }

  return {
    expectedModelName: () => {
      const state = engine.state()
      return state.status === 'ready' ? state.model.name : null
    },
    model: async () => {
      const info = await load(chosenModelId())
      const path = engine.loadedPath()
      if (path === null) throw serviceError('engine/not-loaded', {})
      return replyModel(info, path)
    },
    countTokens: async (messages) => {
      if (engine.state().status !== 'ready') throw serviceError('engine/not-loaded', {})
      return await engine.request('countTokens', { messages })
    },
    prompt: async (messages) => {
      if (engine.state().status !== 'ready') throw serviceError('engine/not-loaded', {})
      return await engine.request('prompt', { messages })
    },
  }
}

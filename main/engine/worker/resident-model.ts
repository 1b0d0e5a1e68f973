// The one model that the engine process holds, with the conversation whose keys and values it still knows.
import { EngineError } from '../../../engine/errors'
import { loadModel } from '../../../engine/generate/load-model'
import type { LoadedModel as EngineModel } from '../../../engine/generate/load-model'
import { generate } from '../../../engine/generate/generate'
import type { Sequence } from '../../../engine/generate/sequence'
import type { ReplyToken } from '../../../preload/contract'
import { serviceError } from '../../service-error'
import type { EngineMethods, GenerateFrame, GenerateOutcome, LoadedModel } from '../protocol'
import { contractSampling, engineSettings } from './engine-settings'
import { createFrameBatch } from './frame-batch'
import { KEPT_ALTERNATIVES, prefixIds, promptView, replyToken } from './reply-record'

/** The process's model over its changes. Loading and generating must take turns; counting may come between. */
export interface ResidentModel {
  readonly load: (params: EngineMethods['load']['params'], options: LoadOptions) => Promise<LoadedModel>
  readonly unload: () => void
  readonly generate: (params: EngineMethods['generate']['params'], options: GenerateOptions) => Promise<GenerateOutcome>
  readonly countTokens: (params: EngineMethods['countTokens']['params']) => EngineMethods['countTokens']['value']
  readonly prompt: (params: EngineMethods['prompt']['params']) => EngineMethods['prompt']['value']
}

interface LoadOptions {
  readonly emit: (event: EngineMethods['load']['event']) => void
  readonly signal: AbortSignal
}

interface GenerateOptions {
  readonly emit: (frame: GenerateFrame) => void
  readonly signal: AbortSignal
}

/** The disk took no prepared weights. */
const CANNOT_WRITE: ReadonlySet<string> = new Set(['prepared/disk-full', 'prepared/write-failed'])

/** Begins without a model. */
export function createResidentModel(): ResidentModel {
  let resident: { readonly path: string; readonly model: EngineModel; readonly sequence: Sequence } | null = null

  function unload(): void {
    const leaving = resident
    resident = null
    leaving?.sequence[Symbol.dispose]()
    leaving?.model[Symbol.dispose]()
  }

  return {
    load: async (params, { emit, signal }) => {
      const { path, threads, contextLength, weightFormat, formatOverrides, preparedFolder, preparedMaxBytes, trustedCode } = params
      // Freed first: two models at once may not fit.
      unload()
      const options = {
        contextLength,
        ...(trustedCode && { trustedCode }),
        signal,
        onProgress: emit,
        prepared: { folder: preparedFolder, ...(preparedMaxBytes !== null && { maxBytes: preparedMaxBytes }) },
        formatOverrides,
        ...(threads !== null && { threads }),
      }
      // Where nothing can be written, weights that lie in their files still run as they are, unless the person asked for others.
      const model = await loadModel(path, { ...options, format: weightFormat }).catch(async (failure: unknown) => {
        if (weightFormat !== 'auto' || !(failure instanceof EngineError) || !CANNOT_WRITE.has(failure.code)) throw failure
        return await loadModel(path, { ...options, format: 'f32' })
      })
      if (model.chatTemplateProblem !== null) {
        // Conversations are all that is asked of this process.
        model[Symbol.dispose]()
        throw model.chatTemplateProblem
      }
      resident = { path, model, sequence: model.createSequence() }
      return {
        modelType: model.config.modelType,
        contextLength: model.contextLength,
        runtime: model.decoder.runtimeKind,
        executionProvider: model.executionProvider,
        weightFormat: model.decoder.format,
        threads: model.threads,
        loadMs: model.loadMs,
        residentBytes: process.memoryUsage.rss(),
        defaultSampling: contractSampling(model.defaultSampling),
        chatTemplateSource: model.chatTemplate.source,
        templateFallback: model.chatTemplate.fallbackFamily,
      }
    },
    unload,
    generate: async ({ path, messages, sampling, prefix }, { emit, signal }) => {
      if (resident?.path !== path) throw serviceError('engine/not-loaded', {})
      const { model, sequence } = resident
      const batch = createFrameBatch((text) => emit({ type: 'delta', text }))
      const prompt = model.renderPrompt(messages)
      const prefillIds = prefix === null ? [] : prefixIds(model, prefix)
      const tokens: ReplyToken[] = []
      try {
        for await (const event of generate({
          model,
          promptIds: prompt.ids,
          prefillIds,
          settings: engineSettings(sampling),
          topLogprobs: KEPT_ALTERNATIVES,
          sequence,
          signal,
        })) {
          if (event.type === 'token') tokens.push(replyToken(model, event))
          else if (event.type === 'delta') batch.push(event.text)
          else if (event.type === 'prefill') emit(event)
          else {
            const { promptTokens, cachedTokens, completionTokens, ttftMs, tokensPerSecond, totalMs, seed } = event.stats
            const stats = { promptTokens, cachedTokens, completionTokens, ttftMs, tokensPerSecond, totalMs, seed }
            batch.flush()
            const seen = promptView(model, { text: prompt.text + (prefix?.text ?? ''), ids: [...prompt.ids, ...prefillIds] })
            return { text: event.text, finishReason: event.finishReason, stats, record: { prompt: seen, tokens } }
          }
        }
      } finally {
        batch.flush()
      }
      throw new Error('generate() ended without its finished event')
    },
    prompt: ({ messages }) => {
      if (resident === null) throw serviceError('engine/not-loaded', {})
      return promptView(resident.model, resident.model.renderPrompt(messages))
    },
    countTokens: ({ messages }) => {
      if (resident === null) throw serviceError('engine/not-loaded', {})
      const { model } = resident
      return { usedTokens: messages.length === 0 ? 0 : model.encodeChat(messages).length, contextLength: model.contextLength }
    },
  }
}

// loadModel: one directory -> configuration, tokenizer, chat template, decoder; everything a chat needs. The order is that of `from_pretrained`.
import { EngineError } from '../errors'
import { loadGenerationDefaults } from '../config/generation-config'
import type { GenerationDefaults } from '../config/decoder-config'
import type { ModelFacts } from '../config/model-facts'
import { modelName, tokenizerFolder } from '../inspect/model-files'
import type { LoadedDecoder } from '../runtime/decoder-model'
import { defaultThreads } from '../runtime/threads'
import { loadChatTemplate } from '../tokenizer/chat-template'
import { type ChatExtras, encodeChat } from '../tokenizer/encode-chat'
import { loadTokenizer } from '../tokenizer/load'
import type { ChatMessage, ChatTemplate, Tokenizer } from '../tokenizer/types'
import { defaultSampling } from './default-sampling'
import type { GenerationModel } from './generate-options'
import { openDecoder, type OpenDecoderOptions } from './open-decoder'
import { createSequence, type Sequence } from './sequence'
import type { SamplingSettings } from './types'
import { createVocabulary } from './vocabulary'
import type { Vocabulary } from './vocabulary'

/** How a model is loaded. */
export interface LoadModelOptions extends OpenDecoderOptions {
  /** Tokens of the context window; null or absent: the model's own length, up to 8192. Never more than the model's own length. */
  readonly contextLength?: number | null
  /** The tokenizer's folder (or a file in it), where it does not lie beside the weights; its chat template counts too. */
  readonly tokenizer?: string
  /** Hashes of custom tokenizer code that may run in the sandbox. */
  readonly trustedCode?: readonly string[]
  /** One of several chat templates by its name. */
  readonly templateName?: string | undefined
}

/** A loaded model. Dispose frees the decoder; sequences made from it are disposed by whoever made them, before the model. */
export interface LoadedModel extends GenerationModel, Disposable {
  /** Absolute path. */
  readonly directory: string
  readonly name: string
  readonly config: ModelFacts
  readonly generationDefaults: GenerationDefaults
  readonly decoder: LoadedDecoder
  readonly tokenizer: Tokenizer
  readonly vocabulary: Vocabulary
  readonly chatTemplate: ChatTemplate
  /** Why the model's chat template cannot be used, or null. Everything but a chat works without one; rendering throws this. */
  readonly chatTemplateProblem: EngineError | null
  /** The prompt of a conversation, up to the opening of the assistant's turn. Throws what encodeChat of the tokenizer throws, and `chatTemplateProblem`. */
  readonly encodeChat: (messages: readonly ChatMessage[], extras?: ChatExtras) => number[]
  /** The same, with the text that the template made. */
  readonly renderPrompt: (
    messages: readonly ChatMessage[],
    extras?: ChatExtras,
  ) => { readonly text: string; readonly ids: readonly number[] }
  /** The author's defaults, filled up with ours. */
  readonly defaultSampling: SamplingSettings
  /** As ONNX Runtime names it. */
  readonly executionProvider: string
  readonly threads: number
  readonly loadMs: number
  /** An empty sequence as long as the context window; its memory grows with its tokens. */
  readonly createSequence: () => Sequence
}

/** Context window when nobody asks for one: a long conversation; a longer one costs memory and time that few ask for. */
export const DEFAULT_CONTEXT_LENGTH = 8192

/** Ids that end a reply: the author's, the decoder's and the tokenizer's. */
function stopIdsOf(parts: {
  readonly config: ModelFacts
  readonly defaults: GenerationDefaults
  readonly tokenizer: Tokenizer
}): ReadonlySet<number> {
  const { config, defaults, tokenizer } = parts
  const ids = [...defaults.eosTokenIds, ...config.eosTokenIds, tokenizer.eosTokenId]
  return new Set(ids.filter((id) => id !== null))
}

/** The model's chat template, or one that refuses every conversation with the reason why there is none. */
async function templateOrProblem(
  directory: string,
  { tokenizer, name }: { readonly tokenizer: Tokenizer; readonly name: string | undefined },
): Promise<{ readonly template: ChatTemplate; readonly problem: EngineError | null }> {
  try {
    return { template: await loadChatTemplate(directory, { tokenizer, name }), problem: null }
  } catch (problem) {
    if (!(problem instanceof EngineError)) throw problem
    const refuse = (): never => {
      throw problem
    }
    return { template: { source: 'none', fallbackFamily: null, names: [], stopStrings: [], render: refuse }, problem }
  }
}

/**
 * Loads a model directory (or a weight file with its configuration beside it).
 * Throws what openDecoder and loadTokenizer throw; "runtime/aborted" on abort. Nothing stays open after a failure.
 */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const startMs = performance.now()
  const { contextLength: wantedContext, tokenizer: tokenizerPath, trustedCode = [], templateName, ...decoderOptions } = options
  const { directory, config, decoder, ...opened } = await openDecoder(path, decoderOptions)
  const opening: Tokenizer[] = []
  try {
    const defaults =
      opened.generationDefaults ??
      (await loadGenerationDefaults(directory, { fallback: config, ...(options.signal && { signal: options.signal }) }))
    const tokenizerPlace = tokenizerPath === undefined ? directory : await tokenizerFolder(tokenizerPath)
    const tokenizer = await loadTokenizer(tokenizerPlace, { trustedCode })
    opening.push(tokenizer)
    const { template, problem } = await templateOrProblem(tokenizerPlace, { tokenizer, name: templateName })
    const renderPrompt = (messages: readonly ChatMessage[], extras: ChatExtras = {}) =>
      encodeChat({ ...extras, tokenizer, template, messages, addGenerationPrompt: true })
    const contextLength = Math.min(wantedContext ?? DEFAULT_CONTEXT_LENGTH, opened.contextLength)
    return {
      directory,
      name: modelName(directory),
      config,
      generationDefaults: defaults,
      decoder,
      tokenizer,
      vocabulary: createVocabulary(tokenizer, config.vocabSize),
      chatTemplate: template,
      chatTemplateProblem: problem,
      renderPrompt,
      encodeChat: (messages, extras) => renderPrompt(messages, extras).ids,
      stopStrings: template.stopStrings,
      stopIds: stopIdsOf({ config, defaults, tokenizer }),
      contextLength,
      defaultSampling: defaultSampling(defaults),
      executionProvider: 'CPUExecutionProvider',
      threads: options.threads ?? defaultThreads(),
      loadMs: performance.now() - startMs,
      createStreamDecoder: () => tokenizer.streamDecoder({ skipSpecial: true }),
      createSequence: () => createSequence(decoder, { capacityTokens: contextLength }),
      [Symbol.dispose]: () => {
        decoder[Symbol.dispose]()
        tokenizer[Symbol.dispose]?.()
      },
    }
  } catch (cause) {
    for (const each of opening) each[Symbol.dispose]?.()
    decoder[Symbol.dispose]()
    throw cause
  }
}

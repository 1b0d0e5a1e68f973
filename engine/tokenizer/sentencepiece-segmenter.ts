// Segmentation of a tokenizer.model: BPE with the C++ library SentencePiece, compiled to WebAssembly by sentencepiece-js 1.1.0; the other models here, because the sums of that older build decide ties otherwise than version 0.2.
import { engineError } from '../errors'
import { newSentencePieceProcessor, type SentencePieceProcessor } from './sentencepiece-js'
import type { SentencePieceModel } from './sentencepiece-model'
import { createSentencePieceNormalizer } from './sentencepiece-normalizer'
import { createSegments, type ScorePrecision } from './sentencepiece-segments'
import { tokenizeWithin } from './tokenize-within'
import { encodeModelVariant, type ModelVariant } from './sentencepiece-variant'

const MODEL_FILE = 'tokenizer.model'

/** Ids of a text without lone surrogates (the library would join one with what follows it). Throws "tokenizer/segmentation-failed", "tokenizer/too-slow". */
export type Segment = (text: string) => number[]

/** A tokenizer.model: its bytes, and what readSentencePieceModel made of them. */
export interface ModelFile {
  readonly path: string
  readonly bytes: Uint8Array
  readonly model: SentencePieceModel
}

/**
 * Loads a model that readSentencePieceModel has accepted into an instance of its own; the instance goes with the returned function.
 * Throws "tokenizer/corrupt-model" with the library's reason when the library refuses it.
 */
export async function loadSegmenter(file: ModelFile, variant: ModelVariant, precision: ScorePrecision = 'single'): Promise<Segment> {
  const { path, model } = file
  if (model.algorithm !== 'bpe') return createSegmenter(file, { variant, precision })
  const processor = await createProcessor(path)
  loadBytes(processor, { path, bytes: encodeModelVariant({ bytes: file.bytes, pieceCount: file.model.pieces.length }, variant) })
  return (text) => {
    try {
      return processor.encodeIds(text)
    } catch (cause) {
      throw engineError('tokenizer/segmentation-failed', { path, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
    }
  }
}

function createSegmenter(
  { path, model }: ModelFile,
  { variant, precision }: { readonly variant: ModelVariant; readonly precision: ScorePrecision },
): Segment {
  const { normalization } = variant
  const { addDummyPrefix, removeExtraWhitespaces } = model.normalizer
  const plain = normalization === 'none' ? { ...model, normalizer: { ...model.normalizer, charsmap: null } } : model
  const normalize = createSentencePieceNormalizer(plain, {
    path,
    addDummyPrefix: normalization === 'as-file' && addDummyPrefix,
    removeExtraWhitespaces: (normalization === 'as-file' || normalization === 'no-dummy-prefix') && removeExtraWhitespaces,
  })
  const segment = createSegments(model, precision)
  return (text) => tokenizeWithin({ path, text }, () => segment(normalize(text)))
}

/** The package's `load` is the only way to its module; it takes a path and hides failures, so the checked bytes are loaded after it. */
function loadBytes(processor: SentencePieceProcessor, file: { readonly path: string; readonly bytes: Uint8Array }): void {
  const module = processor.sentencepiece
  module.FS.writeFile(MODEL_FILE, file.bytes)
  const name = new module.StringView(MODEL_FILE)
  const view = name.getView()
  const status = processor.processor.Load(view)
  const outcome = status.ToString()
  status.delete()
  view.delete()
  name.delete()
  module.FS.unlink(MODEL_FILE)
  if (outcome !== 'OK') throw engineError('tokenizer/corrupt-model', { path: file.path, reason: outcome.trim() })
}

const ADDED_EVENTS = ['uncaughtException', 'unhandledRejection'] as const

async function createProcessor(path: string): Promise<SentencePieceProcessor> {
  const emitter: NodeJS.EventEmitter = process
  const before = new Map(ADDED_EVENTS.map((event) => [event, new Set<unknown>(emitter.listeners(event))]))
  const processor = await newSentencePieceProcessor()
  try {
    await processor.load(path)
  } finally {
    // Each instance adds handlers that rethrow: they would keep it alive, and decide for the whole process what an error does.
    for (const event of ADDED_EVENTS) {
      const added = emitter.listeners(event).filter((listener) => !before.get(event)?.has(listener))
      for (const listener of added) if (isRethrower(listener)) emitter.removeListener(event, listener)
    }
  }
  return processor
}

/** Whether a listener is one of Emscripten's two: another part of the program may add its own while the module loads. */
function isRethrower(listener: unknown): listener is () => void {
  if (typeof listener !== 'function') return false
  const source = listener.toString().replaceAll(/\s/g, '')
  return source === 'function(ex){if(!(exinstanceofExitStatus)){throwex}}' || source === 'function(reason){throwreason}'
}

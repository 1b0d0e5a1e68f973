// Segmentation with the C++ library SentencePiece, compiled to WebAssembly by sentencepiece-js 1.1.0: the only importer of that package.
import type { SentencePieceProcessor } from 'sentencepiece-js'
import { engineError } from '../errors'

/** Far more than any context window holds; the library needs about 80 bytes of memory per character. */
export const MAX_TEXT_CHARACTERS = 4 * 1024 * 1024

const MODEL_FILE = 'tokenizer.model'

/** Bytes behind the model: a field 3 (normalizer_spec) that protobuf merges into the one before it. Fields: 2 character map, 3 add_dummy_prefix, 4 remove_extra_whitespaces. */
const PATCHES = {
  'as-file': new Uint8Array(),
  'no-dummy-prefix': Uint8Array.of(0x1a, 2, 0x18, 0),
  'charsmap-only': Uint8Array.of(0x1a, 4, 0x18, 0, 0x20, 0),
  none: Uint8Array.of(0x1a, 6, 0x12, 0, 0x18, 0, 0x20, 0),
} as const

/** How the text is normalized before it is cut: as the file says, without its dummy prefix, with its character map alone, or not at all. */
export type Normalization = keyof typeof PATCHES

/** Ids of a text without lone surrogates (the library would join one with what follows it). Throws "tokenizer/text-too-long", "tokenizer/segmentation-failed". */
export type Segment = (text: string) => number[]

/**
 * Loads a model that readSentencePieceModel has accepted into an instance of its own; the instance goes with the returned function.
 * Throws "tokenizer/corrupt-model" with the library's reason when the library refuses it.
 */
export async function loadSegmenter(file: { readonly path: string; readonly bytes: Uint8Array; readonly normalization: Normalization }): Promise<Segment> {
  const { path } = file
  const processor = await createProcessor(path)
  loadBytes(processor, { path, bytes: variantOf(file.bytes, file.normalization) })
  return (text) => {
    if (text.length > MAX_TEXT_CHARACTERS) {
      throw engineError('tokenizer/text-too-long', { characters: text.length, maxCharacters: MAX_TEXT_CHARACTERS })
    }
    try {
      return processor.encodeIds(text)
    } catch (cause) {
      throw engineError('tokenizer/segmentation-failed', { path, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
    }
  }
}

function variantOf(bytes: Uint8Array, normalization: Normalization): Uint8Array {
  const patch = PATCHES[normalization]
  const variant = new Uint8Array(bytes.length + patch.length)
  variant.set(bytes)
  variant.set(patch, bytes.length)
  return variant
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
  const { SentencePieceProcessor } = await import('sentencepiece-js')
  const emitter: NodeJS.EventEmitter = process
  const before = new Map(ADDED_EVENTS.map((event) => [event, new Set<unknown>(emitter.listeners(event))]))
  const processor = new SentencePieceProcessor()
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

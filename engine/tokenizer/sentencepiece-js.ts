// The parts of sentencepiece-js 1.1.0 that are used, with types: the package ships none. The only importer of that package.

interface Deletable {
  readonly delete: () => void
}

/** The outcome of a native call; `ToString` is "OK" or the reason of a failure. */
interface NativeStatus extends Deletable {
  readonly ToString: () => string
}

interface NativeStringView extends Deletable {
  readonly getView: () => Deletable
}

/** One native processor with the WebAssembly module it owns. */
export interface SentencePieceProcessor {
  readonly sentencepiece: {
    readonly FS: { readonly writeFile: (path: string, bytes: Uint8Array) => void; readonly unlink: (path: string) => void }
    readonly StringView: new (text: string) => NativeStringView
  }
  readonly processor: { readonly Load: (fileName: Deletable) => NativeStatus }
  readonly load: (path: string) => Promise<void>
  readonly encodeIds: (text: string) => number[]
}

interface SentencePiecePackage {
  readonly SentencePieceProcessor: new () => SentencePieceProcessor
}

/** Makes a processor without a module; its `load` makes one. The package is read (0.7 MB) when the first one is made. */
export async function newSentencePieceProcessor(): Promise<SentencePieceProcessor> {
  const { default: loaded }: { readonly default: unknown } = await import('sentencepiece-js')
  if (!isPackage(loaded)) throw new TypeError('sentencepiece-js has no SentencePieceProcessor')
  return new loaded.SentencePieceProcessor()
}

function isPackage(value: unknown): value is SentencePiecePackage {
  return (
    typeof value === 'object' && value !== null && 'SentencePieceProcessor' in value && typeof value.SentencePieceProcessor === 'function'
  )
}

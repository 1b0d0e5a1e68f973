// Types of the parts of sentencepiece-js 1.1.0 that are used; the package ships none.
declare module 'sentencepiece-js' {
  interface Deletable {
    delete(): void
  }
  interface NativeStatus extends Deletable {
    /** "OK" or the reason of a failure. */
    ToString(): string
  }
  interface NativeStringView extends Deletable {
    getView(): Deletable
  }
  /** The WebAssembly module that an instance owns. */
  interface SentencePieceModule {
    readonly FS: { writeFile(path: string, bytes: Uint8Array): void; unlink(path: string): void }
    readonly StringView: new (text: string) => NativeStringView
  }
  export class SentencePieceProcessor {
    readonly sentencepiece: SentencePieceModule
    readonly processor: { Load(fileName: Deletable): NativeStatus }
    load(path: string): Promise<void>
    encodeIds(text: string): number[]
  }
}

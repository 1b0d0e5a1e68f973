// Types of jsfive 0.4.2 as far as the tests use them; the package brings none.
declare module 'jsfive' {
  export class Dataset {
    readonly value: readonly number[]
    readonly shape: readonly number[]
  }
  export class File {
    constructor(bytes: ArrayBuffer, name: string)
    get(path: string): Dataset
  }
}

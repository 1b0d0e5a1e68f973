// Remarks that are no failures: what was skipped, chosen or looked odd. Stable codes, their data, and one English sentence each.

/** More names than this in one remark help nobody. */
const MAX_NAMED = 8
/** Of one name in a remark; names in files can be as long as their writers like. */
const MAX_NAME_CHARS = 200

/** A remark: a stable code with what belongs into its sentence, and the sentence in English. */
export interface Note {
  readonly code: string
  readonly data: Readonly<Record<string, string | number>>
  readonly text: string
}

/** How many there are, and the first of them. */
type Some = Readonly<Record<'count', number> & Record<'name', string>>

const some = ({ count, name }: Some): string => (count === 1 ? name : `${count} entries, among them ${name},`)

const sentences = {
  'checkpoint/one-shard-of-several': (d: { index: number; count: number }) =>
    `This is shard ${d.index} of ${d.count}; open the folder to see all tensors.`,
  'checkpoint/one-part-of-several': (d: { count: number }) =>
    `This is one of ${d.count} parts; its name does not say where the others are, so only its own tensors are shown.`,
  'checkpoint/shards-without-index': () => 'There is no index; the shards were put together by their names.',
  'checkpoint/wrong-shard-in-index': (d: { count: number }) =>
    `The index names the wrong shard for ${d.count} tensors; they were found in other shards.`,
  'checkpoint/not-in-index': (d: Some) => `The shards hold ${d.count} tensors that the index does not list, the first of them ${d.name}.`,
  'checkpoint/wrong-total-in-index': (d: { statedBytes: number; foundBytes: number }) =>
    `The index states ${d.statedBytes} bytes of tensors; the shards hold ${d.foundBytes}.`,
  'checkpoint/other-files-not-opened': (d: { file: string; count: number; format: string }) =>
    `${d.file} was opened; ${d.count} other ${d.format} files beside it were not.`,
  'checkpoint/other-formats-not-opened': (d: { files: string }) => `Weights of other formats beside it were not opened: ${d.files}.`,
  'checkpoint/other-variants-not-opened': (d: { files: string }) => `Other variants of the model were not opened: ${d.files}.`,
  'checkpoint/variants-incomplete': (d: { files: string }) => `Not taken, because data files are missing: ${d.files}.`,
  'checkpoint/latest-opened': (d: { name: string; count: number }) =>
    `${d.name} is the latest checkpoint and was opened; ${d.count} older ones beside it were not.`,
  'checkpoint/blocks-as-float32': (d: { blocks: string }) => `Tensors stored in quantized blocks are given as F32: ${d.blocks}.`,
  'checkpoint/groups-as-float32': (d: { groupSize: number }) =>
    `Matrices are stored as int8 in groups of ${d.groupSize} and are read as F32.`,
  'checkpoint/quantized': (d: { scheme: string }) => `The weights are quantized: ${d.scheme}.`,
  'checkpoint/activations-not-rounded': () => 'Where the model was made for rounded activations, they are not rounded as it says.',
  'checkpoint/cache-not-rounded': () => 'Keys and values are kept in full precision, not in the scheme that the model names.',
  'checkpoint/left-out-rotation': () => 'Its tables of rotation (freqs_cos, freqs_sin) were left out; they follow from the configuration.',
  'checkpoint/nibbles-as-bytes': (d: { count: number }) => `${d.count} tensors of 4-bit integers are shown as one byte per value.`,
  'checkpoint/two-bytes-as-bfloat16': (d: { count: number }) =>
    `${d.count} arrays hold plain two-byte values (V2); they are taken for bfloat16, as MLX and NumPy write it.`,
  'checkpoint/left-out-type': (d: Some & { type: string }) => `${some(d)} left out: type ${d.type}.`,
  'checkpoint/left-out-no-array': (d: Some) => `${some(d)} left out: no array.`,
  'checkpoint/left-out-no-data': (d: Some) => `${some(d)} left out: no data.`,
  'checkpoint/left-out-link': (d: Some) => `${some(d)} left out: symbolic link.`,
  'checkpoint/left-out-repeated': (d: Some) => `${some(d)} left out: group seen before.`,
  'checkpoint/left-out-dtype': (d: { names: string }) => `${d.names}: a dtype that safetensors does not have; left out.`,
  'checkpoint/left-out-values': (d: { names: string }) => `Values that are no tensors were left out: ${d.names}.`,
  'checkpoint/left-out-constants': (d: { count: number }) => `${d.count} tensors that are constants of the code were left out.`,
  'checkpoint/left-out-more': (d: { count: number }) => `${d.count} more tensors of such kinds were left out.`,
  'checkpoint/tensor-uninitialized': (d: { name: string }) => `${d.name} is not initialized; it was left out.`,
  'checkpoint/tensor-quantized': (d: { name: string }) => `${d.name} is quantized; it was left out.`,
  'checkpoint/tensor-sparse': (d: { name: string }) => `${d.name} is sparse; it was left out.`,
  'checkpoint/tensor-nested': (d: { name: string }) => `${d.name} is nested; it was left out.`,
  'checkpoint/tensor-without-data': (d: { name: string }) => `${d.name} is without data; it was left out.`,
  'checkpoint/tensor-wrapper': (d: { name: string }) => `${d.name} is a wrapper around other tensors; it was left out.`,
  'checkpoint/tensor-of-other-device': (d: { name: string }) => `${d.name} is of another device, as a NumPy array; it was left out.`,
  'checkpoint/tensor-lazy-view': (d: { name: string }) => `${d.name} is a lazy conjugate or negative view; it was left out.`,
  'checkpoint/weights-under': (d: { kept: string }) => `The weights are those under ${d.kept}.`,
  'checkpoint/weights-under-beside': (d: { kept: string; others: string }) =>
    `The weights are those under ${d.kept}; left out beside them: ${d.others}.`,
  'checkpoint/frozen-module': () => 'The module is frozen: its weights are constants of its code and have no names.',
  'checkpoint/tied': (d: { names: string }) => `${d.names} are tied: they share the same data.`,
  'tokenizer/before-others': (d: { file: string; others: string }) => `${d.file} is taken before ${d.others}, as Transformers does.`,
  'tokenizer/inside-weights': () => 'The file of the weights brings it.',
  'tokenizer/only-one': () => 'No other tokenizer lies there.',
  'convert/gguf-context-of-window': (d: { contextTokens: number }) =>
    `llama.cpp has no sliding window for this architecture: the file announces a context of ${d.contextTokens} tokens, up to which the result is the same.`,
  'convert/untied-by-config': () => 'Tensors over the same bytes are written as copies, because config.json says that they are not tied.',
  'convert/tied-as-copies': (d: { format: string }) => `${d.format} cannot share bytes: tied tensors are written as copies.`,
} satisfies Record<string, (data: never) => string>

type Sentences = typeof sentences

/** Makes a remark; the sentence comes from the table above. */
export function note<C extends keyof Sentences>(code: C, ...data: Parameters<Sentences[C]>): Note {
  const values: Note['data'] = data[0] ?? {}
  // The entry of C takes exactly its own data; TypeScript cannot correlate the two through the union.
  const sentence = sentences[code] as (...data: Parameters<Sentences[C]>) => string
  return { code, data: values, text: sentence(...data) }
}

/** Names for a remark: the first few, each cut, and how many more there are. */
export function nameSome(names: readonly string[], options: { readonly count?: number; readonly separator?: string } = {}): string {
  const { count = names.length, separator = ', ' } = options
  const shown = names.slice(0, MAX_NAMED).map((name) => name.slice(0, MAX_NAME_CHARS))
  return `${shown.join(separator)}${count > shown.length ? ` … (+${count - shown.length})` : ''}`
}

/** How many there are and the first of them, for a remark. */
export function countSome(names: readonly string[]): Some {
  return { count: names.length, name: (names[0] ?? '').slice(0, MAX_NAME_CHARS) }
}

/** The same remark once. */
export function distinctNotes(notes: readonly Note[]): readonly Note[] {
  return [...new Map(notes.map((each) => [each.text, each])).values()]
}

// Why a field of a written config.json has its value: stable codes and their English sentences.
import type { ConfigReason } from '../types'

const sentences = {
  answered: () => 'It was answered so.',
  'from-file': (d: { file: string; field: string }) => `${d.file} says so (${d.field}).`,
  'from-checkpoint': (d: { field: string }) => `The checkpoint says so (${d.field}).`,
  'from-tokenizer': (d: { token: string }) => `It is the tokenizer's ${d.token}.`,
  'from-shape': (d: { tensor: string; shape: string }) => `${d.tensor} has the shape [${d.shape}].`,
  'from-values': (d: { tensor: string }) => `The values of ${d.tensor} follow from it.`,
  'from-layers': (d: { count: number }) => `There are ${d.count} layers.`,
  'with-biases': (d: { parts: string }) => `${d.parts}: biases are present.`,
  'without-biases': (d: { parts: string }) => `${d.parts}: biases are absent.`,
  'tied-head-absent': () => 'There is no output head of its own.',
  'tied-head-equal': () => 'The output head and the embedding are the same numbers.',
  'head-differs': () => 'The output head and the embedding are different numbers.',
  'known-model': (d: { model: string }) => `${d.model} has these shapes.`,
  'usual-head-size': (d: { headDim: number; rows: number }) =>
    `Heads of ${d.headDim} are usual and divide the ${d.rows} rows of the key projection.`,
  'usual-for-naming': (d: { naming: string }) => `Models with ${d.naming} names usually have it.`,
  'family-default': (d: { family: string }) => `It is usual for ${d.family}.`,
} satisfies Record<string, (data: never) => string>

type Sentences = typeof sentences

/** Makes a reason; the sentence comes from the table above. */
export function reason<C extends keyof Sentences>(code: C, ...data: Parameters<Sentences[C]>): ConfigReason {
  const values: Readonly<Record<string, string | number>> = data[0] ?? {}
  // The entry of C takes exactly its own data; TypeScript cannot correlate the two through the union.
  const sentence = sentences[code] as (...data: Parameters<Sentences[C]>) => string
  return { code, data: values, text: sentence(...data) }
}

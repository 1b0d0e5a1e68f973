// What the post-processor of a tokenizer.json puts before and after one text. Follows tokenizers/src/processors of Hugging Face tokenizers 0.23.
import { isJsonObject, type JsonObject, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'

/** Ids around a text. */
export interface Frame {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

const EMPTY: Frame = { before: [], after: [] }

/** Reads `post_processor`. Throws "tokenizer/unsupported", "tokenizer/corrupt-json". */
export function readPostProcessor(config: JsonValue | undefined, path: string): Frame {
  if (config === null || config === undefined) return EMPTY
  if (!isJsonObject(config)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a post-processor is not an object' })
  switch (config['type']) {
    case 'TemplateProcessing':
      return readTemplate(config, path)
    case 'BertProcessing':
    case 'RobertaProcessing':
      return { before: [pairId(config['cls'], path)], after: [pairId(config['sep'], path)] }
    // It moves offsets only.
    case 'ByteLevel':
      return EMPTY
    case 'Sequence': {
      const parts = config['processors']
      const frames = Array.isArray(parts) ? parts.map((part: JsonValue) => readPostProcessor(part, path)) : []
      return frames.reduce(
        (inner, outer) => ({ before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] }),
        EMPTY,
      )
    }
    default: {
      const type = config['type']
      throw engineError('tokenizer/unsupported', { path, what: `the post-processor ${typeof type === 'string' ? type : 'without a type'}` })
    }
  }
}

function readTemplate(config: JsonObject, path: string): Frame {
  const single = config['single']
  const special = config['special_tokens']
  const corrupt = () => engineError('tokenizer/corrupt-json', { path, reason: 'the template of the post-processor is malformed' })
  if (!Array.isArray(single)) throw corrupt()
  const before: number[] = []
  const after: number[] = []
  let side = before
  single.forEach((item: JsonValue) => {
    if (!isJsonObject(item)) throw corrupt()
    if (item['Sequence'] !== undefined) side = after
    else {
      const reference = item['SpecialToken']
      const name = isJsonObject(reference) ? reference['id'] : undefined
      const token = typeof name === 'string' && isJsonObject(special) ? special[name] : undefined
      const ids = isJsonObject(token) ? token['ids'] : undefined
      if (!Array.isArray(ids)) throw corrupt()
      for (const id of ids) side.push(checkedId(id, path))
    }
  })
  return { before, after }
}

function pairId(value: JsonValue | undefined, path: string): number {
  const pair: readonly unknown[] = Array.isArray(value) ? value : []
  return checkedId(pair[1], path)
}

function checkedId(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw engineError('tokenizer/corrupt-json', { path, reason: 'an id of the post-processor is not a whole number' })
}

// What the post-processor of a tokenizer.json puts around the ids of one text. Follows tokenizers/src/processors of Hugging Face tokenizers 0.23.
import { isJsonObject, type JsonObject, type JsonValue } from '../bytes/json'
import { engineError } from '../errors'

/** Ids before and after those of a text. */
export interface Frame {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** The ids of a text become those that the model gets; without `addSpecial` no special token is among the new ones. */
export type PostProcess = (ids: readonly number[], options: { readonly addSpecial: boolean }) => readonly number[]

/** What one processor passes to the next: the library keeps the parts of a template apart. */
type Step = (parts: readonly (readonly number[])[], addSpecial: boolean) => readonly (readonly number[])[]

/** Public files have two processors in a row. */
const MAX_PROCESSORS = 100
/** Public templates name a text once and a few special tokens. */
const MAX_TEMPLATE_ITEMS = 1000

/** Puts a frame around every text. */
export function inFrame({ before, after }: Frame): PostProcess {
  return (ids, { addSpecial }) => (addSpecial ? [...before, ...ids, ...after] : ids)
}

/** Reads `post_processor`. Throws "tokenizer/unsupported", "tokenizer/corrupt-json", "tokenizer/limit-exceeded". */
export function readPostProcessor(config: JsonValue | undefined, path: string): PostProcess {
  const step = readStep(config, path)
  return (ids, { addSpecial }) => step([ids], addSpecial).flat()
}

function readStep(config: JsonValue | undefined, path: string): Step {
  if (config === null || config === undefined) return unchanged
  if (!isJsonObject(config)) throw engineError('tokenizer/corrupt-json', { path, reason: 'a post-processor is not an object' })
  switch (config['type']) {
    case 'TemplateProcessing':
      return readTemplates(config, path)
    case 'BertProcessing':
    case 'RobertaProcessing':
      return readPair(config, path)
    // It moves offsets only.
    case 'ByteLevel':
      return unchanged
    case 'Sequence': {
      const parts: readonly JsonValue[] = Array.isArray(config['processors']) ? config['processors'] : []
      checkCount(parts.length, { what: 'the number of post-processors in a sequence', max: MAX_PROCESSORS, path })
      const steps = parts.map((part) => readStep(part, path))
      return (given, addSpecial) => steps.reduce((current, step) => step(current, addSpecial), given)
    }
    default: {
      const type = config['type']
      throw engineError('tokenizer/unsupported', { path, what: `the post-processor ${typeof type === 'string' ? type : 'without a type'}` })
    }
  }
}

function unchanged(parts: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return parts
}

function checkCount(found: number, { what, max, path }: { readonly what: string; readonly max: number; readonly path: string }): void {
  if (found > max) throw engineError('tokenizer/limit-exceeded', { path, what, found, max })
}

/** BERT puts its separator behind every text, RoBERTa before the second one too. */
function readPair(config: JsonObject, path: string): Step {
  const [cls, sep] = [pairId(config['cls'], path), pairId(config['sep'], path)]
  const later = config['type'] === 'RobertaProcessing' ? [sep] : []
  return (parts, addSpecial) => (addSpecial ? parts.map((ids, index) => [...(index === 0 ? [cls] : later), ...ids, sep]) : parts)
}

/** A piece of a template: special ids, or the number of the text that stands there. */
type TemplateItem = { readonly ids: readonly number[] } | { readonly text: number }

function readTemplates(config: JsonObject, path: string): Step {
  const [single, pair] = [readTemplate(config, 'single', path), readTemplate(config, 'pair', path)]
  return (parts, addSpecial) => {
    const template = parts.length === 1 ? single : parts.length === 2 ? pair : null
    if (template === null) throw new Error(`its template stands for one text or two, and a post-processor before it made ${parts.length}`)
    return template.flatMap((item) => ('text' in item ? [parts[item.text] ?? []] : addSpecial ? [item.ids] : []))
  }
}

/** Reads one of the two templates; the one for two texts may be missing. */
function readTemplate(config: JsonObject, which: 'single' | 'pair', path: string): readonly TemplateItem[] {
  const items = config[which]
  const special = config['special_tokens']
  const corrupt = () => engineError('tokenizer/corrupt-json', { path, reason: 'the template of the post-processor is malformed' })
  if (items === undefined && which === 'pair') return [{ text: 0 }, { text: 1 }]
  if (!Array.isArray(items)) throw corrupt()
  checkCount(items.length, { what: 'the length of the template of a post-processor', max: MAX_TEMPLATE_ITEMS, path })
  return items.map((item: JsonValue) => {
    if (!isJsonObject(item)) throw corrupt()
    const text = item['Sequence']
    if (text !== undefined) return { text: isJsonObject(text) && text['id'] === 'B' ? 1 : 0 }
    const reference = item['SpecialToken']
    const name = isJsonObject(reference) ? reference['id'] : undefined
    const token = typeof name === 'string' && isJsonObject(special) ? special[name] : undefined
    const ids = isJsonObject(token) ? token['ids'] : undefined
    if (!Array.isArray(ids)) throw corrupt()
    return { ids: ids.map((id: JsonValue) => checkedId(id, path)) }
  })
}

function pairId(value: JsonValue | undefined, path: string): number {
  const pair: readonly unknown[] = Array.isArray(value) ? value : []
  return checkedId(pair[1], path)
}

function checkedId(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw engineError('tokenizer/corrupt-json', { path, reason: 'an id of the post-processor is not a whole number' })
}

// Numbers, words and switches that a training script saved beside the model: `model_args`, `config`, `args`. They say what the tensors' shapes do not.
import { isPickleObject, type PickleRecord, type PickleValue } from '../pickle/values'
import { dictEntries } from './flatten'

/** A value that a setting can have. */
export type SavedSetting = string | number | boolean | null

/** Scripts save some dozen settings; more of them are data. */
const MAX_SETTINGS = 2000
/** `{config: {model: {rope: {theta}}}}` is as deep as they go. */
const MAX_DEPTH = 4
/** A longer word is a text. */
const MAX_TEXT_LENGTH = 1000
/** Containers looked into: those of an optimizer's state are many and hold none. */
const MAX_CONTAINERS = 2000

/** Fields of an object such as an argparse.Namespace or a dataclass. */
function stateEntries(record: PickleRecord): ReadonlyMap<PickleValue, PickleValue> | null {
  return isPickleObject(record.state) && record.state.kind === 'dict' ? record.state.entries : null
}

function entriesOf(value: PickleValue): ReadonlyMap<PickleValue, PickleValue> | null {
  if (!isPickleObject(value)) return null
  return dictEntries(value) ?? (value.kind === 'record' ? stateEntries(value) : null)
}

function asSetting(value: PickleValue): SavedSetting | undefined {
  if (typeof value === 'string') return value.length <= MAX_TEXT_LENGTH ? value : undefined
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value
  return undefined
}

/** Settings by their dotted names in what was saved, without the entry `modelKey`. Whatever is too deep, too long or too much is left out. */
export function savedSettings(value: PickleValue, modelKey: string | null): Readonly<Record<string, SavedSetting>> {
  const found = new Map<string, SavedSetting>()
  let containers = 0
  const visit = (current: PickleValue, path: readonly string[]): void => {
    const entries = entriesOf(current)
    if (!entries || path.length > MAX_DEPTH || ++containers > MAX_CONTAINERS) return
    for (const [key, item] of entries) {
      if (found.size >= MAX_SETTINGS) return
      if (typeof key !== 'string' || key.length > MAX_TEXT_LENGTH || (path.length === 0 && key === modelKey)) continue
      const setting = asSetting(item)
      if (setting === undefined) visit(item, [...path, key])
      else found.set([...path, key].join('.'), setting)
    }
  }
  visit(value, [])
  return Object.fromEntries(found)
}

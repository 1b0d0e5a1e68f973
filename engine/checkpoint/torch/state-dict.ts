// Finds the model's weights in what was saved: a state dict, a module, a training checkpoint around either, or nested dicts.
import { engineError } from '../../errors'
import type { PickleTensor, PickleValue } from '../pickle/values'
import { dictEntries, flattenTensors, holdsTensor } from './flatten'

/** Where training checkpoints keep the model, the surest first. */
const MODEL_KEYS = ['model_state_dict', 'state_dict', 'model_state', 'model', 'module', 'net', 'network', 'ema'] as const

/** These names say by themselves that their value is a state dict. */
const CERTAIN_KEYS: ReadonlySet<PickleValue> = new Set(['model_state_dict', 'state_dict', 'model_state'])

/** What stands beside the model in a training checkpoint. */
const TRAINING_KEY =
  /optim|epoch|step|loss|^lr|sched|scaler|amp|arg|config|hyper|iter|rng|best|metric|version|callback|date|time|ema|seed|state|opt$|meta/i

/** State dicts wrapped in each other: a trainer's around a framework's around a model's. */
const MAX_WRAPPERS = 4
/** More names than this in one remark help nobody. */
const MAX_NAMED = 12

/** The weights of a checkpoint by name, with remarks on what else was there. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, PickleTensor>
  readonly notes: readonly string[]
}

function names(keys: readonly string[], count = keys.length): string {
  const more = count > MAX_NAMED ? ` and ${count - MAX_NAMED} more` : ''
  return `${keys
    .slice(0, MAX_NAMED)
    .map((key) => key.slice(0, 100))
    .join(', ')}${more}`
}

/** The key of a training checkpoint that holds the model; null where the dict itself is what was saved. */
function modelKey(entries: ReadonlyMap<PickleValue, PickleValue>): string | null {
  for (const key of MODEL_KEYS) {
    const value = entries.get(key)
    if (value === undefined || !isContainerOfTensors(value)) continue
    if (CERTAIN_KEYS.has(key)) return key
    const siblings = [...entries].filter(([other]) => other !== key)
    // Parts of one model side by side (`model` and `head`) are no training checkpoint.
    if (siblings.every(([other, sibling]) => isContainerOfTensors(sibling) && !(typeof other === 'string' && TRAINING_KEY.test(other)))) {
      if (siblings.length > 0) continue
    }
    return key
  }
  return null
}

function isContainerOfTensors(value: PickleValue): boolean {
  const isContainer = typeof value === 'object' && value !== null && 'kind' in value && (value.kind === 'dict' || value.kind === 'record')
  return isContainer && holdsTensor(value)
}

/**
 * Chooses and names the model's tensors. Throws "checkpoint/no-tensors", "checkpoint/pickle-expands", "checkpoint/pickle-too-deep", "checkpoint/duplicate-tensor".
 */
export function findStateDict(value: PickleValue, path: string): StateDict {
  const notes: string[] = []
  let chosen = value
  for (let wrappers = 0; wrappers < MAX_WRAPPERS; wrappers++) {
    const entries = dictEntries(chosen)
    const key = entries ? modelKey(entries) : null
    const next = key === null ? undefined : entries?.get(key)
    if (!entries || key === null || next === undefined) break
    const others = [...entries.keys()].filter((other) => other !== key).map(String)
    notes.push(`The weights are those under "${key}"${others.length > 0 ? `; left out beside them: ${names(others)}` : ''}.`)
    chosen = next
  }
  const { tensors, odd, others, otherCount } = flattenTensors(chosen, path)
  for (const [name, reason] of [...odd].slice(0, MAX_NAMED)) notes.push(`${name} is ${reason}; it was left out.`)
  if (odd.size > MAX_NAMED) notes.push(`${odd.size - MAX_NAMED} more tensors of such kinds were left out.`)
  if (others.length > 0 && tensors.size > 0) notes.push(`Values that are no tensors were left out: ${names(others, otherCount)}.`)
  if (tensors.size === 0) throw engineError('checkpoint/no-tensors', { path })
  return { tensors, notes }
}

// Finds the model's weights in what was saved: a state dict, a module, a training checkpoint around either, or nested dicts.
import { engineError } from '../../errors'
import { isPickleObject, type PickleTensor, type PickleValue } from '../pickle/values'
import { dictEntries, flattenTensors, holdsTensor, keyText } from './flatten'
import { savedSettings, type SavedSetting } from './saved-settings'
import type { ScriptClasses } from './script-classes'
import { nameSome, note, type Note } from '../../notes'

/** Where training checkpoints keep the model, the surest first. */
const MODEL_KEYS = ['model_state_dict', 'state_dict', 'model_state', 'model', 'module', 'net', 'network', 'ema'] as const

/** These names say by themselves that their value is a state dict. */
const CERTAIN_KEYS: ReadonlySet<PickleValue> = new Set(['model_state_dict', 'state_dict', 'model_state'])

/** What stands beside the model in a training checkpoint. */
const TRAINING_KEY =
  /optim|epoch|step|loss|^lr|sched|scaler|amp|arg|config|hyper|iter|rng|best|metric|version|callback|date|time|ema|seed|state|opt$|meta/i

/** Where training checkpoints keep what the optimizer remembers of every parameter. */
const OPTIMIZER_KEY = /^(optimizers?|optim|opt)(_states?|_state_dict|_dict)?$/

/** State dicts wrapped in each other: a trainer's around a framework's around a model's. */
const MAX_WRAPPERS = 4
/** More names than this in one remark help nobody. */
const MAX_NAMED = 12

/** The weights of a checkpoint by name, with remarks on what else was there. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, PickleTensor>
  readonly notes: readonly Note[]
  /** Scalars saved beside the model, by their dotted names. */
  readonly settings: Readonly<Record<string, SavedSetting>>
}

/** Which parts of a training checkpoint are wanted. */
interface StateDictOptions {
  readonly include?: 'model' | 'optimizer'
  readonly scriptClasses?: ScriptClasses
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

/** An optimizer's state, or one for each of several optimizers. */
function isOptimizerState(value: PickleValue, depth = 0): boolean {
  const entries = dictEntries(value)
  if (entries) return entries.has('param_groups') || (depth < 2 && [...entries.values()].some((item) => isOptimizerState(item, depth + 1)))
  const isList = isPickleObject(value) && (value.kind === 'list' || value.kind === 'tuple')
  return isList && depth < 2 && value.items.some((item) => isOptimizerState(item, depth + 1))
}

/** What is left of a training checkpoint that names its model in no usual way: everything that belongs to no training. Null where the dict is none. */
function withoutTraining(entries: ReadonlyMap<PickleValue, PickleValue>): ReadonlyMap<PickleValue, PickleValue> | null {
  if (![...entries].some(([key, value]) => typeof key === 'string' && /optim/i.test(key) && isOptimizerState(value))) return null
  const named = (key: PickleValue, pattern: RegExp): boolean => typeof key === 'string' && pattern.test(key)
  const weights = [...entries].filter(([key, value]) => holdsTensor(value) && !isOptimizerState(value) && !named(key, /optim/i))
  const surest = weights.filter(([key]) => !named(key, TRAINING_KEY))
  const rest = surest.length > 0 ? surest : weights
  return rest.length > 0 ? new Map(rest) : null
}

function isContainerOfTensors(value: PickleValue): boolean {
  const isContainer = typeof value === 'object' && value !== null && 'kind' in value && (value.kind === 'dict' || value.kind === 'record')
  return isContainer && holdsTensor(value)
}

/** The optimizer's tensors, under the names that they have in the checkpoint. Throws "checkpoint/no-optimizer". */
function optimizerTensors(levels: readonly ReadonlyMap<PickleValue, PickleValue>[], path: string): ReadonlyMap<string, PickleTensor> {
  const tensors = new Map<string, PickleTensor>()
  for (const [key, value] of levels.flatMap((entries) => [...entries])) {
    if (typeof key !== 'string' || !OPTIMIZER_KEY.test(key) || !holdsTensor(value)) continue
    for (const [name, tensor] of flattenTensors(value, path).tensors) tensors.set(`${key}.${name}`, tensor)
  }
  if (tensors.size === 0) throw engineError('checkpoint/no-optimizer', { path })
  return tensors
}

/**
 * Chooses and names the model's tensors, and with `include: 'optimizer'` the optimizer's after them; `scriptClasses` are those of a TorchScript archive. Throws "checkpoint/no-tensors", "checkpoint/pickle-expands", "checkpoint/pickle-too-deep", "checkpoint/duplicate-tensor", "checkpoint/no-optimizer".
 */
export function findStateDict(value: PickleValue, path: string, options: StateDictOptions = {}): StateDict {
  const notes: Note[] = []
  const levels: ReadonlyMap<PickleValue, PickleValue>[] = []
  const settings: Record<string, SavedSetting> = {}
  let chosen = value
  for (let wrappers = 0; wrappers < MAX_WRAPPERS; wrappers++) {
    const entries = dictEntries(chosen)
    if (!entries) break
    const key = modelKey(entries)
    const rest = key === null ? withoutTraining(entries) : new Map([[key, entries.get(key) ?? null]])
    if (!rest) break
    levels.push(entries)
    Object.assign(settings, savedSettings(chosen, key))
    const others = [...entries.keys()].filter((other) => !rest.has(other)).map(keyText)
    const kept = nameSome([...rest.keys()].map((name) => `"${keyText(name)}"`))
    notes.push(
      others.length > 0
        ? note('checkpoint/weights-under-beside', { kept, others: nameSome(others) })
        : note('checkpoint/weights-under', { kept }),
    )
    const [only] = rest.values()
    if (rest.size > 1 || only === undefined || !isContainerOfTensors(only)) {
      chosen = { kind: 'dict', entries: new Map(rest) }
      break
    }
    chosen = only
  }
  const { tensors, odd, others, otherCount } = flattenTensors(chosen, path, options.scriptClasses)
  for (const [name, reason] of [...odd].slice(0, MAX_NAMED)) notes.push(note(`checkpoint/tensor-${reason}`, { name }))
  if (odd.size > MAX_NAMED) notes.push(note('checkpoint/left-out-more', { count: odd.size - MAX_NAMED }))
  if (others.length > 0 && tensors.size > 0)
    notes.push(note('checkpoint/left-out-values', { names: nameSome(others, { count: otherCount }) }))
  if (tensors.size === 0) throw engineError('checkpoint/no-tensors', { path })
  if (options.include === 'optimizer') for (const [name, tensor] of optimizerTensors(levels, path)) tensors.set(name, tensor)
  return { tensors, notes, settings }
}

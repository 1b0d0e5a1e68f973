// Persistent ids of PyTorch's pickles: the names of tensor storages. Follows torch/serialization.py of PyTorch 2.13.
import { engineError } from '../../errors'
import type { PersistentLoad } from '../pickle/machine'
import { isPickleObject, type PickleStorage, type PickleValue } from '../pickle/values'
import { STORAGE_DTYPES } from './dtypes'

/** The key of a storage or tensor, which may be a number; null where it is neither text nor a number. */
export function keyText(value: PickleValue | undefined): string | null {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null
}

/** Dtype of a storage class such as `torch.FloatStorage` or `torch.cuda.HalfStorage`; undefined where the name is none. */
export function storageClassDtype(value: PickleValue | undefined): string | null | undefined {
  if (!isPickleObject(value) || value.kind !== 'global' || !/^torch(\.cuda|\.storage|\.sparse)?$/.test(value.module)) return undefined
  return STORAGE_DTYPES.get(value.name)
}

function count(value: PickleValue | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function readView(value: PickleValue | undefined): PickleStorage['view'] | undefined {
  if (value === null || value === undefined) return null
  if (!isPickleObject(value) || value.kind !== 'tuple') return undefined
  const offsetElements = count(value.items[1])
  const elements = count(value.items[2])
  return offsetElements === null || elements === null ? undefined : { offsetElements, elements }
}

/**
 * Reads `('storage', class, key, location, elements[, view])` and, in files before 1.6, `('module', class, file, source)`, whose class stays a name.
 * Throws "checkpoint/pickle-persistent-id" for everything else.
 */
export function torchPersistentLoad(path: string): PersistentLoad {
  const refused = () => engineError('checkpoint/pickle-persistent-id', { path })
  return (id) => {
    if (!isPickleObject(id) || id.kind !== 'tuple') throw refused()
    const [kind, type, key, , elements, view] = id.items
    if (kind === 'module' && isPickleObject(type) && type.kind === 'global') return type
    const dtype = storageClassDtype(type)
    const storageKey = keyText(key)
    const storageElements = count(elements)
    const storageView = readView(view)
    if (kind !== 'storage' || dtype === undefined || storageKey === null || storageElements === null || storageView === undefined)
      throw refused()
    return { kind: 'storage', key: storageKey, dtype, elements: storageElements, view: storageView }
  }
}

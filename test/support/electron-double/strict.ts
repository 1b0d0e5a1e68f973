// Keeps the double honest: a member that is not implemented throws instead of being silently undefined.

/** Members that the language itself asks every object for. */
const LANGUAGE_MEMBERS = new Set<string | symbol>([
  'then',
  'toJSON',
  'constructor',
  'prototype',
  Symbol.toPrimitive,
  Symbol.toStringTag,
  Symbol.iterator,
])

/** `target` behind a proxy that throws on members it lacks; `name` is what Electron calls it. */
export function strict<T extends object>(name: string, target: T): T {
  const bound = new Map<string | symbol, unknown>()
  return new Proxy(target, {
    get(object, key) {
      if (!(key in object) && !LANGUAGE_MEMBERS.has(key) && typeof key === 'string') {
        throw new Error(`The Electron double does not implement ${name}.${key}.`)
      }
      const value: unknown = Reflect.get(object, key)
      if (typeof value !== 'function') return value
      // Methods run on the object itself: a proxy has no private members.
      if (!bound.has(key)) bound.set(key, value.bind(object))
      return bound.get(key)
    },
  })
}

// Scripts of the double inside the page: the preload's isolated world, and the main world that sees what contextBridge exposes.
// The worlds share the DOM but no objects, so calls cross as JSON in synchronous custom events.

/** Name of the isolated world and of its binding into the double. */
export const PRELOAD_WORLD = 'electron-double-preload'
export const BINDING = '__electronDouble'

/** The preload bundle, run as Electron's sandbox runs it: CommonJS with `require('electron')` alone. */
export function isolatedWorldScript(preloadSource: string): string {
  return `(() => {
  if (window !== window.top) return
  const listeners = new Map(), waiting = new Map(), functions = [], exposed = {}, paths = new Map()
  let lastId = 0, lastPromise = 0
  const post = (message) => ${BINDING}(JSON.stringify(message))
  const emit = (name, value) => window.dispatchEvent(new CustomEvent('electron-double:' + name, { detail: JSON.stringify(value ?? null) }))
  globalThis.__electronDoubleReceive = (message) => {
    if (message.kind === 'path') paths.set(message.name, message.path)
    else if (message.kind === 'reply') {
      const { resolve, reject } = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.error === undefined) resolve(message.value)
      else reject(new Error(message.error))
    } else for (const listener of listeners.get(message.channel) ?? []) listener({ sender: null }, ...message.args)
  }
  const describe = (value) => {
    if (typeof value === 'function') return { $function: functions.push(value) - 1 }
    if (value instanceof Promise) {
      const id = ++lastPromise
      value.then((result) => emit('settle', { id, result: describe(result) }), (error) => emit('settle', { id, error: String(error.message) }))
      return { $promise: id }
    }
    if (Array.isArray(value)) return value.map(describe)
    if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, describe(item)]))
    return value
  }
  const revive = (value) => {
    if (value === null || typeof value !== 'object') return value
    if ('$callback' in value) return (...args) => emit('callback', { id: value.$callback, args: args.map(describe) })
    if ('$file' in value) return { name: value.$file }
    if (Array.isArray(value)) return value.map(revive)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]))
  }
  window.addEventListener('electron-double:ask', (event) => {
    const message = JSON.parse(event.detail)
    emit('answer', message.kind === 'describe' ? exposed : describe(functions[message.id](...message.args.map(revive))))
  })
  const electron = {
    contextBridge: { exposeInMainWorld: (key, api) => { exposed[key] = describe(api) } },
    ipcRenderer: {
      on: (channel, listener) => { listeners.set(channel, [...(listeners.get(channel) ?? []), listener]) },
      send: (channel, ...args) => post({ kind: 'send', channel, args }),
      invoke: (channel, ...args) => new Promise((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        post({ kind: 'invoke', id, channel, args })
      }),
    },
    webUtils: { getPathForFile: (file) => paths.get(file.name) ?? '' },
  }
  const strict = (name, object) => new Proxy(object, { get: (target, key) => {
    if (typeof key === 'string' && !(key in target) && key !== 'then' && key !== '__esModule' && key !== 'default')
      throw new Error('The Electron double does not implement ' + name + '.' + key)
    return target[key]
  } })
  const require = (name) => {
    if (name !== 'electron') throw new Error('A sandboxed preload cannot require ' + name)
    return strict('electron', Object.fromEntries(Object.entries(electron).map(([key, value]) => [key, strict(key, value)])))
  }
  const module = { exports: {} }
  ;(function (require, module, exports) {
${preloadSource}
  })(require, module, module.exports)
})()`
}

/** Makes what the preload exposed appear on the page's own window. */
export const mainWorldScript = `(() => {
  if (window !== window.top) return
  const callbacks = new Map(), promises = new Map(), early = new Map()
  let answer, lastCallback = 0
  const on = (name, handle) => window.addEventListener('electron-double:' + name, (event) => handle(JSON.parse(event.detail)))
  const settle = ({ resolve, reject }, { result, error }) => error === undefined ? resolve(build(result)) : reject(new Error(error))
  on('answer', (value) => { answer = value })
  on('callback', ({ id, args }) => callbacks.get(id)(...args.map(build)))
  on('settle', (message) => {
    const waiting = promises.get(message.id)
    if (waiting === undefined) early.set(message.id, message)
    else { promises.delete(message.id); settle(waiting, message) }
  })
  const ask = (message) => {
    answer = undefined
    window.dispatchEvent(new CustomEvent('electron-double:ask', { detail: JSON.stringify(message) }))
    return build(answer)
  }
  const pass = (value) => {
    if (typeof value === 'function') { callbacks.set(++lastCallback, value); return { $callback: lastCallback } }
    if (value instanceof File) return { $file: value.name }
    if (Array.isArray(value)) return value.map(pass)
    if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, pass(item)]))
    return value
  }
  const build = (value) => {
    if (value === null || typeof value !== 'object') return value
    if ('$function' in value) return (...args) => ask({ kind: 'call', id: value.$function, args: args.map(pass) })
    if ('$promise' in value) return new Promise((resolve, reject) => {
      const message = early.get(value.$promise)
      early.delete(value.$promise)
      if (message === undefined) promises.set(value.$promise, { resolve, reject })
      else settle({ resolve, reject }, message)
    })
    if (Array.isArray(value)) return value.map(build)
    return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, build(item)])))
  }
  for (const [key, api] of Object.entries(ask({ kind: 'describe' }) ?? {})) Object.defineProperty(window, key, { value: api, writable: false })
})()`

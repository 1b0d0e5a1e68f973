// The main-process half of the double: app, BrowserWindow, ipcMain, protocol and friends, driving Chromium over DevTools.
import { fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChromium } from './chromium'
import type { Cdp } from './chromium'
import { strict } from './strict'
import { BINDING, isolatedWorldScript, mainWorldScript, PRELOAD_WORLD } from './worlds'

type ProtocolHandler = (request: Request) => Response | Promise<Response>
type InvokeHandler = (event: unknown, ...args: unknown[]) => unknown

const schemes = new Map<string, ProtocolHandler>()
const invokeHandlers = new Map<string, InvokeHandler>()
const ipcEvents = new EventEmitter()
const windows: BrowserWindow[] = []

/** DevTools cannot intercept custom schemes: app://host/path is served as https://host.localhost/path. */
const toBrowserUrl = (url: string): string =>
  url.replace(/^([a-z]+):\/\/([^/]+)/, (all, scheme: string, host: string) => (schemes.has(scheme) ? `https://${host}.localhost` : all))
const toAppUrl = (url: string): string => {
  const scheme = [...schemes.keys()][0]
  return scheme === undefined ? url : url.replace(/^https:\/\/([^/]+)\.localhost/, `${scheme}://$1`)
}

/** Messages of the suite to the double, over the process's own channel. */
type SuiteMessage =
  | { readonly kind: 'drop-path'; readonly name: string; readonly path: string }
  | { readonly kind: 'choose-folder'; readonly path: string | null }
  | { readonly kind: 'quit' }
let chosenFolder: string | null = null
const externalLinks: string[] = []

class PreventableEvent {
  defaultPrevented = false
  readonly url: string
  constructor(url: string) {
    this.url = url
  }
  preventDefault(): void {
    this.defaultPrevented = true
  }
}

class WebContents extends EventEmitter {
  readonly mainFrame = { url: '' }
  readonly session = { setPermissionRequestHandler: (_: unknown) => undefined }
  cdp: Cdp | undefined
  sessionId = ''
  contextId: number | undefined
  openHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' })
  #queue: unknown[] = []

  isDestroyed(): boolean {
    return this.cdp === undefined && this.sessionId !== ''
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler
  }
  send(channel: string, ...args: unknown[]): void {
    this.post({ kind: 'message', channel, args })
  }
  post(message: unknown): void {
    if (this.contextId === undefined || this.cdp === undefined) {
      this.#queue.push(message)
      return
    }
    const expression = `__electronDoubleReceive(${JSON.stringify(message)})`
    // A page that is being replaced has no such context any more: the message is for the old page and may be dropped.
    this.cdp.send(this.sessionId, 'Runtime.evaluate', { expression, contextId: this.contextId }).catch(() => undefined)
  }
  flush(contextId: number): void {
    this.contextId = contextId
    for (const message of this.#queue.splice(0)) this.post(message)
  }

  receive(payload: string): void {
    const message = JSON.parse(payload) as { kind: string; id: number; channel: string; args: unknown[] }
    const event = { sender: strictContents(this), senderFrame: this.mainFrame }
    if (message.kind === 'send') {
      ipcEvents.emit(message.channel, event, ...message.args)
      return
    }
    const handler = invokeHandlers.get(message.channel)
    Promise.resolve()
      .then(() => {
        if (handler === undefined) throw new Error(`No handler registered for '${message.channel}'`)
        return handler(event, ...message.args)
      })
      .then(
        (value) => this.post({ kind: 'reply', id: message.id, value }),
        (error: unknown) => this.post({ kind: 'reply', id: message.id, error: String(error) }),
      )
  }
}

const strictViews = new WeakMap<WebContents, WebContents>()
function strictContents(contents: WebContents): WebContents {
  const known = strictViews.get(contents)
  if (known !== undefined) return known
  const view = strict('webContents', contents)
  strictViews.set(contents, view)
  return view
}

interface WindowOptions {
  readonly width: number
  readonly height: number
  readonly webPreferences: {
    readonly preload: string
    readonly sandbox: boolean
    readonly contextIsolation: boolean
    readonly nodeIntegration: boolean
  }
}

export class BrowserWindow extends EventEmitter {
  readonly webContents: WebContents
  readonly #contents = new WebContents()
  readonly #options: WindowOptions
  #destroyed = false

  constructor(options: WindowOptions) {
    super()
    const { sandbox, contextIsolation, nodeIntegration } = options.webPreferences
    if (!sandbox || !contextIsolation || nodeIntegration) throw new Error('The double runs sandboxed, isolated windows only.')
    this.#options = options
    this.webContents = strictContents(this.#contents)
    windows.push(this)
  }

  static getAllWindows(): BrowserWindow[] {
    return [...windows]
  }

  async loadURL(url: string): Promise<void> {
    const cdp = await startChromium(this.#options)
    const contents = this.#contents
    contents.cdp = cdp
    const { targetInfos } = (await cdp.send('', 'Target.getTargets')) as { targetInfos: { type: string; targetId: string }[] }
    const targetId = targetInfos.find((target) => target.type === 'page')?.targetId
    const { sessionId } = (await cdp.send('', 'Target.attachToTarget', { targetId, flatten: true })) as { sessionId: string }
    contents.sessionId = sessionId
    await this.#wire(cdp, sessionId, String(targetId))
    await cdp.send(sessionId, 'Page.navigate', { url: toBrowserUrl(url) })
    process.send?.({ kind: 'window', endpoint: cdp.endpoint })
  }

  async #wire(cdp: Cdp, sessionId: string, targetId: string): Promise<void> {
    const contents = this.#contents
    cdp.on(sessionId, 'Runtime.executionContextCreated', ({ context }) => {
      const { id, name } = context as { id: number; name: string }
      if (name === PRELOAD_WORLD) contents.flush(id)
    })
    cdp.on(sessionId, 'Runtime.bindingCalled', ({ name, payload }) => {
      if (name === BINDING) contents.receive(String(payload))
    })
    cdp.on(sessionId, 'Page.frameNavigated', ({ frame }) => {
      const { parentId, url } = frame as { parentId?: string; url: string }
      if (parentId !== undefined) return
      contents.mainFrame.url = toAppUrl(url)
      contents.emit('did-navigate', {}, contents.mainFrame.url)
    })
    cdp.on(sessionId, 'Page.domContentEventFired', () => this.emit('ready-to-show'))
    cdp.on(sessionId, 'Inspector.targetCrashed', () => contents.emit('render-process-gone', {}, { reason: 'crashed' }))
    cdp.on(sessionId, 'Fetch.requestPaused', (params) => void this.#answer(cdp, sessionId, params))
    cdp.on('', 'Target.targetCreated', ({ targetInfo }) => {
      const info = targetInfo as { openerId?: string; targetId: string; url: string; type: string }
      if (info.openerId !== targetId) return
      if (contents.openHandler({ url: info.url }).action === 'deny') void cdp.send('', 'Target.closeTarget', { targetId: info.targetId })
    })
    await cdp.send('', 'Target.setDiscoverTargets', { discover: true })
    await cdp.send(sessionId, 'Page.enable')
    await cdp.send(sessionId, 'Runtime.enable')
    await cdp.send(sessionId, 'Runtime.addBinding', { name: BINDING, executionContextName: PRELOAD_WORLD })
    await cdp.send(sessionId, 'Fetch.enable', {
      patterns: [{ urlPattern: 'https://*.localhost/*' }, { urlPattern: '*', resourceType: 'Document' }],
    })
    const preload = readFileSync(this.#options.webPreferences.preload, 'utf8')
    await cdp.send(sessionId, 'Page.addScriptToEvaluateOnNewDocument', { source: isolatedWorldScript(preload), worldName: PRELOAD_WORLD })
    await cdp.send(sessionId, 'Page.addScriptToEvaluateOnNewDocument', { source: mainWorldScript })
  }

  async #answer(cdp: Cdp, sessionId: string, params: Record<string, unknown>): Promise<void> {
    const { requestId, request, resourceType } = params as {
      requestId: string
      request: { url: string; method: string; headers: Record<string, string> }
      resourceType: string
    }
    const url = toAppUrl(request.url)
    const handler = schemes.get(new URL(url).protocol.replace(':', ''))
    if (resourceType === 'Document' && this.#contents.mainFrame.url.includes('://')) {
      const event = new PreventableEvent(url)
      this.#contents.emit('will-navigate', event, url)
      if (event.defaultPrevented) {
        await cdp.send(sessionId, 'Fetch.failRequest', { requestId, errorReason: 'Aborted' })
        return
      }
    }
    if (handler === undefined) {
      await cdp.send(sessionId, 'Fetch.continueRequest', { requestId })
      return
    }
    const response = await handler(new Request(url, { method: request.method, headers: request.headers }))
    await cdp.send(sessionId, 'Fetch.fulfillRequest', {
      requestId,
      responseCode: response.status,
      responseHeaders: [...response.headers].map(([name, value]) => ({ name, value })),
      body: Buffer.from(await response.arrayBuffer()).toString('base64'),
    })
  }

  dropPath(name: string, path: string): void {
    this.#contents.post({ kind: 'path', name, path })
  }
  show(): void {}
  focus(): void {}
  restore(): void {}
  isMinimized(): boolean {
    return false
  }
  isDestroyed(): boolean {
    return this.#destroyed
  }
  close(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#contents.cdp?.close()
    this.#contents.cdp = undefined
    windows.splice(windows.indexOf(this), 1)
    this.emit('closed')
    if (windows.length === 0) app.emit('window-all-closed')
  }
}

class App extends EventEmitter {
  readonly isPackaged = false
  #quitting = false
  whenReady(): Promise<void> {
    return Promise.resolve()
  }
  requestSingleInstanceLock(): boolean {
    return true
  }
  getVersion(): string {
    return (JSON.parse(readFileSync(join(process.cwd(), 'package.json'), 'utf8')) as { version: string }).version
  }
  getPath(name: string): string {
    return process.env[`ELECTRON_DOUBLE_${name.toUpperCase()}`] ?? join(tmpdir(), `weightroom-double-${name}`)
  }
  setName(_: string): void {}
  quit(): void {
    if (this.#quitting) return
    const event = new PreventableEvent('')
    this.emit('before-quit', event)
    if (event.defaultPrevented) return
    this.#quitting = true
    for (const window of [...windows]) window.close()
    this.exit(0)
  }
  exit(code = 0): void {
    for (const window of [...windows]) window.close()
    process.exit(code)
  }
}
export const app = strict('app', new App())

export const ipcMain = strict('ipcMain', {
  handle: (channel: string, handler: InvokeHandler): void => {
    if (invokeHandlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    invokeHandlers.set(channel, handler)
  },
  removeHandler: (channel: string): void => {
    invokeHandlers.delete(channel)
  },
  on: (channel: string, listener: InvokeHandler): void => {
    ipcEvents.on(channel, listener)
  },
  removeAllListeners: (channel: string): void => {
    ipcEvents.removeAllListeners(channel)
  },
})

export const protocol = strict('protocol', {
  registerSchemesAsPrivileged: (list: readonly { readonly scheme: string }[]): void => {
    for (const { scheme } of list) schemes.set(scheme, () => new Response(null, { status: 404 }))
  },
  handle: (scheme: string, handler: ProtocolHandler): void => {
    schemes.set(scheme, handler)
  },
})

export const utilityProcess = strict('utilityProcess', {
  fork: (path: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv }) => {
    const shim = new URL('../../test/support/electron-double/parent-port.mjs', import.meta.url).href
    const child = fork(path, args, {
      serialization: 'advanced',
      execArgv: ['--import', shim],
      env: options.env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const port = new EventEmitter()
    child.on('message', (message) => port.emit('message', message))
    child.on('exit', (code, signal) => port.emit('exit', code ?? (signal === null ? 1 : 137)))
    return strict('utilityProcess.child', {
      get pid() {
        return child.pid
      },
      stderr: child.stderr,
      postMessage: (message: NodeJS.Dict<unknown>) => void child.send(message),
      kill: () => child.kill('SIGKILL'),
      on: port.on.bind(port),
      once: port.once.bind(port),
    })
  },
})

export const shell = strict('shell', {
  openExternal: (url: string): Promise<void> => {
    externalLinks.push(url)
    process.send?.({ kind: 'external', url })
    return Promise.resolve()
  },
})
export const dialog = strict('dialog', {
  showOpenDialog: () => Promise.resolve({ canceled: chosenFolder === null, filePaths: chosenFolder === null ? [] : [chosenFolder] }),
})
export const nativeTheme = strict('nativeTheme', { shouldUseDarkColors: false })
export const Menu = strict('Menu', {
  buildFromTemplate: (template: readonly unknown[]) => ({ template }),
  setApplicationMenu: (_: unknown) => undefined,
})

process.on('message', (message: SuiteMessage) => {
  if (message.kind === 'drop-path') for (const window of windows) window.dropPath(message.name, message.path)
  else if (message.kind === 'choose-folder') chosenFolder = message.path
  else app.quit()
})
process.on('SIGTERM', () => app.quit())

// Serves the contract over Electron's IPC: every message's sender is checked, streams are closed when their page goes away.
import { ipcMain } from 'electron'
import type { IpcMainEvent, IpcMainInvokeEvent, WebContents } from 'electron'
import { channels } from '../../../preload/contract'
import type { Result } from '../../../preload/contract'
import type { App } from '../../app'
import { isAppUrl } from './app-protocol'

/** A page may not hold more streams open than this: a reply and a few watches are normal, thousands are a fault. */
const MAX_STREAMS_PER_PAGE = 64

const refused: Result<never> = {
  ok: false,
  error: { code: 'app/sender-refused', message: 'The request did not come from the app window.', details: {} },
}

function isTrusted(event: IpcMainEvent | IpcMainInvokeEvent, window: WebContents): boolean {
  const frame = event.senderFrame
  return event.sender === window && frame !== null && frame === window.mainFrame && isAppUrl(frame.url)
}

/** Connects one window's page to the app. Returns a function that closes the page's streams and unregisters. */
export function serveIpc(app: App, window: WebContents): () => void {
  const closers = new Map<number, () => void>()

  const closeAll = (): void => {
    for (const close of closers.values()) close()
    closers.clear()
  }
  const send = (channel: string, ...args: readonly unknown[]): void => {
    if (!window.isDestroyed()) window.send(channel, ...args)
  }

  ipcMain.handle(channels.call, (event, name: unknown, input: unknown) =>
    isTrusted(event, window) ? app.call(String(name), input) : refused,
  )

  ipcMain.on(channels.open, (event, id: unknown, name: unknown, input: unknown) => {
    if (typeof id !== 'number') return
    if (!isTrusted(event, window) || closers.has(id) || closers.size >= MAX_STREAMS_PER_PAGE) {
      send(channels.end, id, refused)
      return
    }
    // Held from the start: the stream may end before open returns.
    closers.set(id, () => undefined)
    const close = app.open(String(name), input, {
      event: (value) => send(channels.event, id, value),
      end: (result) => {
        closers.delete(id)
        send(channels.end, id, result)
      },
    })
    if (closers.has(id)) closers.set(id, close)
  })

  ipcMain.on(channels.close, (event, id: unknown) => {
    if (typeof id !== 'number' || !isTrusted(event, window)) return
    closers.get(id)?.()
  })

  window.on('did-navigate', closeAll)
  window.on('render-process-gone', closeAll)

  return () => {
    closeAll()
    ipcMain.removeHandler(channels.call)
    ipcMain.removeAllListeners(channels.open)
    ipcMain.removeAllListeners(channels.close)
  }
}

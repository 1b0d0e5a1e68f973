// The desktop app: one window over the app's contract, the engine in a utility process. Only files of this folder and preload import electron.
import { join } from 'node:path'
import { app, BrowserWindow, dialog, shell } from 'electron'
import { createApp } from '../../app'
import type { App } from '../../app'
import type { Host } from '../../host'
import { consoleLog } from '../console-log'
import { dataFolder } from '../data-folder'
import { engineWorker, workbenchWorker } from '../engine-worker'
import { watchEventLoop } from '../event-loop-gap'
import { hubCacheFolder } from '../hub-cache-folder'
import { resourcesFolder } from '../resources-folder'
import { registerAppScheme, serveRenderer } from './app-protocol'
import { forkUtilityProcess } from './engine-child'
import { serveIpc } from './ipc'
import { installMenu } from './menu'
import { createWindow } from './window'

const here = import.meta.dirname

async function chooseFolder(): Promise<string | null> {
  const { canceled, filePaths } = await dialog.showOpenDialog({ properties: ['openDirectory'] })
  return canceled ? null : (filePaths[0] ?? null)
}

async function chooseFiles(): Promise<readonly string[] | null> {
  const { canceled, filePaths } = await dialog.showOpenDialog({ properties: ['openFile', 'multiSelections'] })
  return canceled ? null : filePaths
}

function describeHost(): Host {
  return {
    kind: 'electron',
    version: app.getVersion(),
    paths: {
      dataFolder: dataFolder(process.env),
      resourcesFolder: resourcesFolder(here),
      hfCacheFolder: hubCacheFolder(process.env),
    },
    forkEngine: () => forkUtilityProcess(engineWorker(here)),
    forkWorkbench: () => forkUtilityProcess(workbenchWorker(here)),
    chooseFolder,
    chooseFiles,
    showFolder: (path) => shell.showItemInFolder(path),
    openExternal: (url) => shell.openExternal(url),
    canDropPaths: true,
    clock: { now: () => Date.now() },
    log: consoleLog,
  }
}

/** Opens the window over a running app; when it closes its page's streams are closed with it. */
function openWindow(services: App): BrowserWindow {
  const window = createWindow({
    preloadPath: join(here, '../preload/index.cjs'),
    iconPath: join(resourcesFolder(here), 'icons', '256x256.png'),
  })
  const stopServing = serveIpc(services, window.webContents)
  window.on('closed', stopServing)
  return window
}

async function start(): Promise<void> {
  watchEventLoop(process.env)
  await app.whenReady()
  installMenu()
  serveRenderer(join(here, '../renderer'))
  const services = await createApp(describeHost())
  openWindow(services)

  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow(services)
  })
  app.on('second-instance', () => {
    const window = BrowserWindow.getAllWindows()[0]
    if (window?.isMinimized()) window.restore()
    window?.focus()
  })
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  let closed = false
  app.on('before-quit', (event) => {
    if (closed) return
    // Quitting waits until every reply is stored.
    event.preventDefault()
    void services.close().finally(() => {
      closed = true
      app.quit()
    })
  })
}

if (app.requestSingleInstanceLock()) {
  registerAppScheme()
  start().catch((failure: unknown) => {
    consoleLog.error('Weightroom could not start', { failure: String(failure) })
    app.exit(1)
  })
} else {
  app.quit()
}

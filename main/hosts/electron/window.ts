// The one window: sandboxed and isolated, cannot navigate away, cannot open others, grants no permission.
import { BrowserWindow, nativeTheme } from 'electron'
import { appUrl, isAppUrl } from './app-protocol'

const SIZE = { width: 1180, height: 800, minWidth: 640, minHeight: 480 } as const
/** Shown before the first paint; the same values as the page's own background. */
const BACKGROUND = { light: '#fbfbfa', dark: '#17181a' } as const

/** Creates the window and loads the app's page. */
export function createWindow(options: { readonly preloadPath: string; readonly iconPath: string }): BrowserWindow {
  const window = new BrowserWindow({
    ...SIZE,
    title: 'Weightroom',
    icon: options.iconPath,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
    webPreferences: {
      preload: options.preloadPath,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  })
  const contents = window.webContents
  // Links leave through the contract's app.openExternal, which checks them; the page itself opens nothing.
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  contents.on('will-navigate', (event) => {
    if (!isAppUrl(event.url)) event.preventDefault()
  })
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.session.setPermissionRequestHandler((_, permission, answer) => answer(permission === 'clipboard-sanitized-write'))
  window.once('ready-to-show', () => window.show())
  void window.loadURL(appUrl)
  return window
}

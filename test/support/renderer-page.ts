// The built renderer in a real Chromium, with the fake bridge in place of a host. For tests that need a browser's own layout, parser and CSP.
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import ts from 'typescript'
import { build } from 'vite'
import type { FakeScenario } from './fake-bridge'

const root = join(import.meta.dirname, '../..')
const BUILT_FOLDER = join(root, 'out/renderer')
const candidates = [process.env['WEIGHTROOM_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Path of a Chromium of this machine, or null; tests that need it are skipped, and said to be, where there is none. */
export const chromiumPath = candidates.find((path): path is string => path !== undefined && existsSync(path)) ?? null

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
}

/** The renderer, built and served, and a browser to look at it. */
export interface RendererPages {
  /** Opens the app in a fresh context. */
  readonly open: (scenario: FakeScenario, options?: BrowserContextOptions) => Promise<Page>
  /** Addresses that a page asked for outside the server; a renderer that keeps its promise asks for none. */
  readonly foreignRequests: string[]
  /** What the pages wrote to the console as an error, and what they threw. */
  readonly complaints: string[]
  readonly close: () => Promise<void>
}

/** What the renderer is built from. */
const SOURCES = ['renderer', 'preload', 'electron.vite.config.ts', 'package-lock.json']

/** Whether the finished build is newer than everything it is made from; `npm test` has just made it. */
async function isBuilt(): Promise<boolean> {
  const page = await stat(join(BUILT_FOLDER, 'index.html')).catch(() => null)
  if (page === null) return false
  for (const source of SOURCES) {
    const path = join(root, source)
    const names = (await stat(path)).isDirectory() ? await readdir(path, { recursive: true }) : []
    // Folders too: their time tells of files that are gone.
    for (const name of ['', ...names]) if ((await stat(join(path, name))).mtimeMs > page.mtimeMs) return false
  }
  return true
}

/** Takes the finished build, or builds the renderer into a temporary folder, and starts server and browser. */
export async function startRendererPages(): Promise<RendererPages> {
  const built = await isBuilt()
  const folder = built ? BUILT_FOLDER : join(tmpdir(), `weightroom-renderer-${process.pid}`)
  if (!built)
    await build({ configFile: join(root, 'renderer/vite.config.ts'), logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  const server = await serve(folder)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  const origin = `http://127.0.0.1:${address.port}`
  const browser = await launch()
  const script = await fakeBridgeScript()
  const foreignRequests: string[] = []
  const complaints: string[] = []

  return {
    foreignRequests,
    complaints,
    async open(scenario, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 820 }, ...options })
      const page = await context.newPage()
      page.on('request', (request) => {
        if (!request.url().startsWith(origin)) foreignRequests.push(request.url())
      })
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(String(error)))
      await page.addInitScript(`${script}\nwindow.weightroom = createFakeBridge(${JSON.stringify(scenario)})`)
      await page.goto(origin)
      await page.getByRole('navigation').waitFor()
      return page
    },
    async close() {
      await browser.close()
      server.close()
      if (!built) await rm(folder, { recursive: true, force: true })
    },
  }
}

function launch(): Promise<Browser> {
  if (chromiumPath === null) throw new Error('There is no Chromium on this machine.')
  return chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
  })
}

async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const path = join(folder, normalize(pathname === '/' ? '/index.html' : pathname))
    readFile(path).then(
      (bytes) => response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(bytes),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The fake bridge as one plain script: its only imports beside types are its own parts. */
async function fakeBridgeScript(): Promise<string> {
  const parts = await Promise.all(
    [
      '../../preload/contract-sampling-off.ts',
      'fake-models.ts',
      'fake-chats.ts',
      'fake-plan.ts',
      'fake-loading.ts',
      'fake-workbench.ts',
      'fake-bridge.ts',
    ].map(async (name) => {
      const source = await readFile(join(import.meta.dirname, name), 'utf8')
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
      })
      return outputText
        .replace(/^import .*$/gm, '')
        .replace(/^export (?=const|function)/gm, '')
        .replace(/^export \{\};?$/gm, '')
    }),
  )
  return parts.join('\n')
}

// Builds the Electron double for the suites: plain Node cannot load its TypeScript.
import { resolve } from 'node:path'
import { build } from 'vite'

export default async function setup(): Promise<void> {
  const root = resolve(import.meta.dirname, '../..')
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    build: {
      ssr: resolve(root, 'test/support/electron-double/main-process.ts'),
      target: 'node20.19',
      outDir: 'out/test',
      emptyOutDir: true,
      rolldownOptions: { output: { format: 'es', entryFileNames: 'electron-double.mjs' } },
    },
  })
}

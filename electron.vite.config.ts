// Builds the three Electron bundles, the command line and the engine process. The engine library is built by scripts/build.mjs.
import { resolve } from 'node:path'
import { defineConfig } from 'electron-vite'
import { rendererBuild, rendererPlugins } from './renderer/vite.config'

const at = (path: string): string => resolve(import.meta.dirname, path)

export default defineConfig({
  main: {
    build: {
      // The command line and the web host run on plain Node too.
      target: 'node20.19',
      outDir: 'out/main',
      sourcemap: true,
      rolldownOptions: {
        input: {
          index: at('main/hosts/electron/index.ts'),
          cli: at('main/hosts/cli/index.ts'),
          'engine-worker': at('main/engine/worker.ts'),
          'workbench-worker': at('main/engine/worker/workbench/index.ts'),
        },
        output: {
          format: 'es',
          entryFileNames: (chunk) => (chunk.name === 'index' ? 'index.js' : `${chunk.name}.mjs`),
          chunkFileNames: 'chunks/[name]-[hash].mjs',
        },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed preload is one CommonJS file: its schema library is bundled.
      externalizeDeps: false,
      rolldownOptions: { input: { index: at('preload/index.ts') }, output: { format: 'cjs', entryFileNames: '[name].cjs' } },
    },
  },
  renderer: {
    root: at('renderer'),
    base: './',
    plugins: rendererPlugins(),
    build: { ...rendererBuild, outDir: at('out/renderer'), rolldownOptions: { input: at('renderer/index.html') } },
  },
})

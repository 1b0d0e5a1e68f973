// Builds the engine as a library: out/engine/index.mjs and its declarations.
import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { resolve } from 'node:path'
import { build } from 'vite'

const root = resolve(import.meta.dirname, '..')

await build({
  root,
  configFile: false,
  logLevel: 'warn',
  build: {
    ssr: resolve(root, 'engine/index.ts'),
    target: 'node20.19',
    outDir: 'out/engine',
    emptyOutDir: true,
    sourcemap: true,
    rolldownOptions: {
      preserveEntrySignatures: 'strict',
      output: { format: 'es', entryFileNames: 'index.mjs', chunkFileNames: 'chunks/[name]-[hash].mjs' },
    },
  },
})

const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/typescript/bin/tsc',
    '-p',
    'engine/tsconfig.json',
    '--noEmit',
    'false',
    '--noCheck',
    '--declaration',
    '--emitDeclarationOnly',
    '--outDir',
    'out/engine',
  ],
  { cwd: root, stdio: 'inherit' },
)
chmodSync(resolve(root, 'out/main/cli.mjs'), 0o755)
process.exitCode = status ?? 1

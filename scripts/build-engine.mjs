// Builds the engine as a library: out/engine/index.mjs and its declarations.
import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
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
    // The folder was emptied: what an earlier run wrote has to be written again.
    '--incremental',
    'false',
    '--tsBuildInfoFile',
    'null',
    '--outDir',
    'out/engine',
  ],
  { cwd: root, stdio: 'inherit' },
)
// Sources leave file extensions to the bundler; programs that resolve modules as Node does need them in the declarations.
for (const name of readdirSync(resolve(root, 'out/engine'), { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.d.ts')) continue
  const path = join(root, 'out/engine', name)
  const text = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    text.replaceAll(/(from '|import\(')(\.{1,2}\/[^']+)(?=')/g, (_, before, specifier) => `${before}${specifier}.js`),
  )
}
chmodSync(resolve(root, 'out/main/cli.mjs'), 0o755)
process.exitCode = status ?? 1

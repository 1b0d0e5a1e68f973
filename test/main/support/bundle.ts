// Builds one TypeScript module into a file that plain Node runs, for tests that need a process of their own.
import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'vite'

const root = resolve(import.meta.dirname, '../../..')

/** A built module; dispose removes it. */
export interface Bundle extends Disposable {
  readonly folder: string
  /** Path of an entry by its name. */
  readonly file: (name: string) => string
}

/**
 * Builds entries (name -> path from the repository's root) into `<folder>/out/main`, laid out as in an installed app. It lies in node_modules/.cache, where packages
 * resolve and where the repository's own resources are found above it.
 */
export async function bundle(entries: Readonly<Record<string, string>>): Promise<Bundle> {
  const folder = join(root, 'node_modules', '.cache', 'weightroom-tests', randomUUID())
  const outDir = join(folder, 'out', 'main')
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: true,
      target: 'node20.19',
      outDir,
      emptyOutDir: true,
      rolldownOptions: {
        input: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, resolve(root, path)])),
        output: { format: 'es', entryFileNames: '[name].mjs', chunkFileNames: 'chunks/[name]-[hash].mjs' },
      },
    },
  })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "version": "0.0.0-test" }')
  return {
    folder,
    file: (name) => join(outDir, `${name}.mjs`),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

// `npm run bench -- families [FOLDER ...] [--only NAME]`: proves every family of the fixtures, and the models of further folders, against the answers of Transformers; writes a table in Markdown.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'vite'

const root = resolve(import.meta.dirname, '../..')
const { positionals, values } = parseArgs({ allowPositionals: true, options: { only: { type: 'string', default: '' } } })
const folders = [resolve(import.meta.dirname, '../fixtures/models'), ...positionals.slice(1).map((path) => resolve(path))]
const models = folders.flatMap((folder) =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => path.includes(values.only) && existsSync(join(path, 'golden.safetensors'))),
)
// The engine is TypeScript, and what proves a family looks deeper into it than its public surface does.
const built = mkdtempSync(resolve(root, 'out/verify-'))
process.on('exit', () => rmSync(built, { recursive: true, force: true }))
await build({
  root,
  configFile: false,
  logLevel: 'error',
  build: {
    ssr: resolve(import.meta.dirname, 'verify-family.ts'),
    target: 'node20.19',
    outDir: built,
    rolldownOptions: { output: { format: 'es', entryFileNames: 'verify-family.mjs' } },
  },
})
const { verifyFamily } = await import(join(built, 'verify-family.mjs'))

/** A difference that is exact, small, or a code. */
const difference = (value) => (typeof value === 'string' ? value.split('/')[1] : value === 0 ? '0' : value.toExponential(0))
const share = ({ kept, decided }) => `${kept}/${decided}`

process.stdout.write(
  '| model | model_type | logits | greedy | in parts | q8 | q4 | torch and back | GGUF | ONNX |\n|---|---|---|---|---|---|---|---|---|---|\n',
)
const failed = []
for (const path of models) {
  const name = basename(path)
  try {
    const { modelType, logits, greedy, parts, q8, q4, torch, gguf, onnx } = await verifyFamily(path)
    const cells = [
      name,
      modelType,
      difference(logits),
      `${greedy.equal}/${greedy.count}`,
      difference(parts),
      share(q8),
      share(q4),
      difference(torch),
      difference(gguf),
      difference(onnx),
    ]
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
  } catch (error) {
    failed.push(`${name}: ${error.code ?? ''} ${error.message}`)
  }
}
for (const line of failed) process.stderr.write(`${line}\n`)
process.exitCode = failed.length === 0 ? 0 : 1

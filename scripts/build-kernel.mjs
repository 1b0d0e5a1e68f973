// Compiles the quantizing kernel: engine/tensor/nbits/kernel.as -> kernel-wasm.ts (base64). With --check it only says whether they belong together.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'

const folder = join(import.meta.dirname, '..', 'engine', 'tensor', 'nbits')
const target = join(folder, 'kernel-wasm.ts')
let wasm = new Uint8Array()
const { error, stderr } = await asc.main(
  ['kernel.ts', '--outFile', 'kernel.wasm', '-O3', '--runtime', 'stub', '--importMemory', '--enable', 'simd', '--noAssert'],
  {
    readFile: (name) => (name === 'kernel.ts' ? readFileSync(join(folder, 'kernel.as'), 'utf8') : null),
    writeFile: (name, contents) => {
      if (name === 'kernel.wasm') wasm = contents
    },
    listFiles: () => [],
  },
)
if (error) throw new Error(stderr.toString(), { cause: error })

const lines = (
  Buffer.from(wasm)
    .toString('base64')
    .match(/.{1,120}/g) ?? []
).map((line) => `  '${line}',`)
const text = `// The quantizing kernel as WebAssembly, ${wasm.length} bytes; made from kernel.as by scripts/build-kernel.mjs.

/** The module in base64. */
export const KERNEL_WASM = [
${lines.join('\n')}
].join('')
`
if (!process.argv.includes('--check')) writeFileSync(target, text)
else if (readFileSync(target, 'utf8') !== text) {
  console.error('kernel-wasm.ts was not made from kernel.as: run node scripts/build-kernel.mjs')
  process.exitCode = 1
}

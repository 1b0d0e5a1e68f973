// The engine as a library, as another program uses it: out/engine by its package name, types and values.
import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..', '..')

const PROGRAM = `
import { applyLogitsProcessors, EngineError, generate, loadModel, loadTokenizer, openCheckpoint, planDeviceMap, renderChat } from 'weightroom/engine'
export const functions: readonly unknown[] = [planDeviceMap, loadTokenizer, openCheckpoint]
const model = await loadModel(process.argv[2] ?? '')
let text = ''
for await (const event of generate({ model, promptIds: model.encodeChat([{ role: 'user', content: 'What is GGUF?' }]), settings: { ...model.defaultSampling, temperature: 0 } })) {
  if (event.type === 'delta') text += event.text
}
model[Symbol.dispose]()
const probabilities: Float32Array = applyLogitsProcessors(new Float32Array(2), [0], { temperature: 1 })
const prompt: string = await renderChat(process.argv[2] ?? '', { messages: [{ role: 'user', content: 'hi' }] })
const code = await openCheckpoint('/nothing').catch((failure: unknown) => (failure instanceof EngineError ? failure.code : null))
console.log(JSON.stringify({ text, probabilities: [...probabilities], prompt, code }))
`

it('has types that strict NodeNext resolution accepts, and does what they say', async () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 'node_modules'))
  symlinkSync(root, join(folder.path, 'node_modules', 'weightroom'), 'junction')
  symlinkSync(join(root, 'node_modules', '@types'), join(folder.path, 'node_modules', '@types'), 'junction')
  folder.write('package.json', '{"type":"module"}')
  folder.write('program.ts', PROGRAM)
  const options = { strict: true, module: 'nodenext', target: 'es2024', lib: ['esnext'], types: ['node'], outDir: 'built' }
  folder.write('tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['program.ts'] }))
  await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder.path]).catch((failure: unknown) => {
    throw new Error(failure instanceof Error && 'stdout' in failure ? String(failure.stdout) : String(failure))
  })
  const { stdout } = await run(process.execPath, [join(folder.path, 'built', 'program.js'), join(root, 'resources', 'guide')])
  expect(JSON.parse(stdout)).toMatchObject({
    text: expect.stringContaining('llama.cpp') as unknown,
    probabilities: [0.5, 0.5],
    prompt: expect.stringContaining('hi') as unknown,
    code: 'bytes/not-found',
  })
})

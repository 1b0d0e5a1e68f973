// Entry of the engine process: the only code of the app's services that runs the engine. Forked by a host, ends with it.
import { compileConstraint } from '../../engine/generate/grammar/compile-constraint'
import { SAMPLE_TEXT_VERSION } from '../../engine/generate/sample-text'
import { DEFAULT_CONTEXT_LENGTH } from '../../engine/generate/load-model'
import { measureKernels } from '../../engine/runtime/measure-kernels'
import { measureOne } from './worker/measure-one'
import { clearPrepared, listPrepared, preparedBytes } from '../../engine/prepared/cache'
import type { EngineMethods } from './protocol'
import { describeModel } from './worker/describe'
import { planModel, previewFormats } from './worker/plan-model'
import { readTokenizerCode } from './worker/tokenizer-code'
import { openWorkerPort } from './worker/port'
import { createResidentModel } from './worker/resident-model'
import { serveEngine } from './worker/serve'
import { createTurns } from './worker/turns'

const port = openWorkerPort()
const resident = createResidentModel()
const turns = createTurns()

port.onClose(() => process.exit(0))
serveEngine<EngineMethods>(port, {
  load: async ({ params, emit, signal }) => await turns.take(async () => await resident.load(params, { emit, signal }), signal),
  unload: async ({ signal }) =>
    await turns.take(() => {
      resident.unload()
      return Promise.resolve(null)
    }, signal),
  generate: async ({ params, emit, signal }) => await turns.take(async () => await resident.generate(params, { emit, signal }), signal),
  countTokens: ({ params }) => Promise.resolve(resident.countTokens(params)),
  prompt: ({ params }) => Promise.resolve(resident.prompt(params)),
  checkConstraint: ({ params }) =>
    Promise.resolve(params.constraint)
      .then(compileConstraint)
      .then(() => null),
  plan: async ({ params, signal }) => await planModel({ ...params, defaultContextLength: DEFAULT_CONTEXT_LENGTH, signal }),
  previewFormats: async ({ params, signal }) => ({
    ...(await previewFormats({ ...params, defaultContextLength: DEFAULT_CONTEXT_LENGTH, signal })),
    textVersion: SAMPLE_TEXT_VERSION,
  }),
  // Kernels are timed while nothing else computes.
  measureKernels: async ({ params, signal }) => await turns.take(async () => await measureKernels({ ...params, signal }), signal),
  measureFormat: async ({ params, emit, signal }) =>
    await turns.take(async () => {
      resident.unload()
      return await measureOne(params, { emit, signal })
    }, signal),
  describe: async ({ params, signal }) => await describeModel(params.path, signal),
  listPrepared: async ({ params: { folder } }) => ({ files: await listPrepared(folder), totalBytes: await preparedBytes(folder) }),
  // Never between the making of a file and its mapping.
  clearPrepared: async ({ params: { folder, name }, signal }) =>
    await turns.take(async () => ({ freedBytes: await clearPrepared(folder, name) }), signal),
  tokenizerCode: async ({ params }) => await readTokenizerCode(params.path),
  memory: () => Promise.resolve({ residentBytes: process.memoryUsage.rss() }),
})

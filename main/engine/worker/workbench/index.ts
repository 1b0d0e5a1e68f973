// Entry of a workbench process: looks into checkpoints or runs one conversion. Forked by a host apart from the process that answers chats, ends with it.
import type { WorkbenchMethods } from '../../workbench-protocol'
import { openWorkerPort } from '../port'
import { serveEngine } from '../serve'
import { planOrder, runOrder } from './conversion-orders'
import { createInspections } from './inspections'
import { summarizeTokenizer } from './tokenizer-summary'

const port = openWorkerPort()
const inspections = createInspections()

port.onClose(() => process.exit(0))
serveEngine<WorkbenchMethods>(port, {
  inspect: async ({ params, signal }) => await inspections.inspect(params.path, signal),
  tokenizer: async ({ params }) => await summarizeTokenizer(params.path),
  rows: async ({ params, signal }) => await inspections.rows(params, signal),
  statistics: async ({ params, emit, signal }) =>
    await inspections.statistics(params, {
      onProgress: (doneBytes, totalBytes) => emit({ type: 'progress', doneBytes, totalBytes }),
      signal,
    }),
  planConversion: async ({ params, signal }) => await planOrder(params, signal),
  convert: async ({ params, emit, signal }) => await runOrder(params, { onProgress: emit, signal }),
})

// The part of the contract that looks into checkpoints and converts them, wired together: workbench processes, the queue, uploads and places.
import { join } from 'node:path'
import type { CallHandlers, StreamHandlers } from './dispatch'
import { createConversionsService, type ConversionsService } from './conversions/conversions-service'
import { suggestPlace } from './conversions/suggest-place'
import { createWorkbench } from './engine/workbench'
import type { Host } from './host'
import { localPath } from './places/local-path'
import { listPlace } from './places/places-service'
import { serviceError } from './service-error'
import { createUploadsService, liesIn } from './uploads/uploads-service'
import type { workbenchCalls, workbenchStreams } from '../preload/contract-workbench'

type WorkbenchCalls = Pick<CallHandlers, keyof typeof workbenchCalls>
type WorkbenchStreams = Pick<StreamHandlers, keyof typeof workbenchStreams>

/** The handlers, and the end of everything behind them. */
export interface WorkbenchHandlers extends AsyncDisposable {
  readonly calls: WorkbenchCalls
  readonly streams: WorkbenchStreams
}

/** Opens queue and upload area of the host's data folder. */
export async function openWorkbenchHandlers(host: Host): Promise<WorkbenchHandlers> {
  const { paths, clock, log } = host
  const { dataFolder } = paths
  const uploadsFolder = join(dataFolder, 'uploads')
  const modelsFolder = join(dataFolder, 'models')
  const workbench = createWorkbench({ fork: host.forkWorkbench, log })
  const conversions = await createConversionsService({
    dataFolder,
    runner: {
      plan: async (order) => await workbench.ask('planConversion', order),
      convert: async (order, { onProgress, signal }) => await workbench.askAlone('convert', order, { onEvent: onProgress, signal }),
    },
    localPath,
    suggestPlace: async (source, to) => await suggestPlace(source, { to, modelsFolder, temporaryFolder: uploadsFolder }),
    clock,
    log,
  })
  const isNeeded = (folder: string): boolean => conversions.jobs().some((job) => needsSource(job.state) && liesIn(folder, job.order.source))
  const uploads = await createUploadsService({ folder: uploadsFolder, modelsFolder, isNeeded, log })

  const calls: WorkbenchCalls = {
    'app.chooseFiles': async () => {
      if (host.chooseFiles === undefined) throw serviceError('app/unsupported', { what: 'choosing files', host: host.kind })
      return await host.chooseFiles()
    },
    'checkpoint.inspect': async ({ path }) => await workbench.ask('inspect', { path: localPath(path) }),
    'checkpoint.tokenizer': async ({ path }) => await workbench.ask('tokenizer', { path: localPath(path) }),
    'checkpoint.rows': async (params) => await workbench.ask('rows', { ...params, path: localPath(params.path) }),
    'places.list': async (request) => await listPlace(request, { cacheFolder: paths.hfCacheFolder, modelsFolder }),
    'uploads.begin': async ({ files }) => await uploads.begin(files),
    'uploads.write': async (part) => await uploads.write(part),
    'uploads.finish': async ({ uploadId }) => await uploads.finish(uploadId),
    'uploads.discard': async ({ uploadId }) => {
      await uploads.discard(uploadId)
      return null
    },
    'uploads.keep': async ({ uploadId }) => await uploads.keep(uploadId),
    ...conversionCalls(conversions, host),
  }
  const streams: WorkbenchStreams = {
    'checkpoint.statistics': async ({ input, emit, signal }) => {
      const params = { ...input, path: localPath(input.path) }
      emit({ type: 'done', statistics: await workbench.ask('statistics', params, { onEvent: emit, signal }) })
    },
    'conversions.watch': async ({ emit, signal }) => {
      emit({ type: 'all', jobs: conversions.jobs() })
      const unwatch = conversions.watch(emit)
      await aborted(signal)
      unwatch()
    },
  }
  return {
    calls,
    streams,
    [Symbol.asyncDispose]: async () => {
      await conversions[Symbol.asyncDispose]()
      workbench[Symbol.dispose]()
      await uploads[Symbol.asyncDispose]()
    },
  }
}

function conversionCalls(
  conversions: ConversionsService,
  host: Host,
): Pick<WorkbenchCalls, Extract<keyof WorkbenchCalls, `conversions.${string}`>> {
  return {
    'conversions.plan': async (order) => await conversions.plan(order),
    'conversions.start': async (order) => await conversions.start(order),
    'conversions.show': ({ jobId }) => {
      if (host.showFolder === undefined) throw serviceError('app/unsupported', { what: 'showing a folder', host: host.kind })
      // The place is the one that was converted to, never one that a window names.
      const job = conversions.jobs().find(({ id }) => id === jobId)
      if (job === undefined) throw serviceError('conversions/not-found', { jobId })
      if (job.state !== 'done') throw serviceError('conversions/not-done', { jobId })
      host.showFolder(job.order.out)
      return null
    },
    'conversions.cancel': ({ jobId }) => {
      conversions.cancel(jobId)
      return null
    },
    'conversions.retry': ({ jobId }) => conversions.retry(jobId),
    'conversions.remove': ({ jobId }) => {
      conversions.remove(jobId)
      return null
    },
    'conversions.clear': () => {
      conversions.clear()
      return null
    },
  }
}

function needsSource(state: string): boolean {
  return state === 'queued' || state === 'running' || state === 'interrupted'
}

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

// Composition root: builds the services from a host, plugs them together and puts the contract in front of them.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AppInfo, CallInput, DevicePlan, EngineState } from '../preload/contract'
import type { loadingCalls, loadingStreams } from '../preload/contract-loading'
import type { workbenchCalls, workbenchStreams } from '../preload/contract-workbench'
import { createChatsService } from './chats/chats-service'
import type { ChatsService } from './chats/chats-service'
import { createDispatch } from './dispatch'
import type { CallHandlers, Dispatch, StreamHandlers } from './dispatch'
import { createEngineService } from './engine/engine-service'
import type { EngineService, ModelTarget } from './engine/engine-service'
import { createReplyEngine } from './engine/reply-engine'
import type { Host } from './host'
import { createLibraryService, GUIDE_ID } from './library/library-service'
import type { LibraryService } from './library/library-service'
import { openLink } from './links'
import { loadChoiceOf } from './loading/load-choice'
import { loadingHandlers } from './loading/loading-handlers'
import { openMeasurements } from './loading/measurements'
import { preparedFolder } from './prepared-folder'
import { serviceError } from './service-error'
import { createSettingsService } from './settings/settings-service'
import type { SettingsService } from './settings/settings-service'
import { openWorkbenchHandlers } from './workbench-handlers'

/** The running app: the contract over untrusted input, and its end. */
export interface App extends Dispatch {
  /** Stops replies and stores them, ends the engine process, closes the database. Safe to call twice. */
  readonly close: () => Promise<void>
  /** Process id of the engine process, for diagnostics. */
  readonly enginePid: () => number | undefined
}

interface Services {
  readonly host: Host
  readonly engine: EngineService
  readonly library: LibraryService
  readonly settings: SettingsService
  readonly chats: () => ChatsService
  readonly targetOf: (modelId: string) => Promise<ModelTarget>
}

/** File of the chats in the data folder. */
const CHATS_FILE = 'chats.db'
/** How long closing waits for running replies before the engine process is ended under them. */
const CLOSE_GRACE_MS = 2_000

/** Settings that a loaded model is loaded again for. */
const LOAD_SETTINGS = ['threads', 'contextLength', 'weightFormat'] as const

/** Builds and starts the app: the engine process is forked and the chosen model begins to load. A chat database that cannot be opened is reported by every chat call, not here. */
export async function createApp(host: Host): Promise<App> {
  const { paths, clock, log } = host
  await mkdir(paths.dataFolder, { recursive: true }).catch((failure: unknown) =>
    log.error('the data folder could not be made', { failure: String(failure) }),
  )
  const engine = createEngineService({ fork: host.forkEngine, log })
  const settings = await createSettingsService({ dataFolder: paths.dataFolder, clock, log })
  const library = await createLibraryService({ paths, describe: (path) => engine.request('describe', { path }), clock, log })
  const targetOf = async (modelId: string): Promise<ModelTarget> => {
    const { threads, preparedMaxBytes, trustedTokenizers } = settings.get()
    const place = await library.locate(modelId)
    const choice = loadChoiceOf(settings.get(), modelId)
    const trustedCode = trustedTokenizers.filter(({ folder }) => folder === place.path).map(({ hash }) => hash)
    return { ...place, ...choice, threads, trustedCode, preparedMaxBytes, preparedFolder: preparedFolder(paths.dataFolder) }
  }
  const defaultModelId = (): string => settings.get().defaultModelId ?? GUIDE_ID
  const replyEngine = createReplyEngine({ engine, load: async (modelId) => await engine.load(await targetOf(modelId)), defaultModelId })

  let opened: ChatsService | null = null
  let closing: Promise<void> | null = null
  /** Opened again on demand: a locked or read-only database may have become usable. */
  const chats = (): ChatsService =>
    (opened ??= createChatsService({ path: join(paths.dataFolder, CHATS_FILE), engine: replyEngine, defaults: settings.get, clock, log }))
  try {
    chats()
  } catch (failure) {
    log.error('the chat database could not be opened', { failure: String(failure) })
  }
  const services: Services = { host, engine, library, settings, chats, targetOf }
  const workbench = await openWorkbenchHandlers(host)
  const loading = loadingHandlers({
    engine,
    settings,
    measurements: await openMeasurements({ dataFolder: paths.dataFolder, clock, log }),
    targetOf,
    modelBytes: async (modelId) => (await library.list()).find(({ id }) => id === modelId)?.sizeBytes ?? 0,
    reload: (modelId) => loadInBackground(services, modelId),
    now: clock.now,
  })
  const dispatch = createDispatch({
    calls: { ...callHandlers(services), ...loading.calls, ...workbench.calls },
    streams: { ...streamHandlers(services), ...loading.streams, ...workbench.streams },
    log,
  })
  loadInBackground(services, defaultModelId())

  async function close(): Promise<void> {
    const stored = opened?.close() ?? Promise.resolve()
    let grace: NodeJS.Timeout | undefined
    await Promise.race([stored, new Promise((resolve) => (grace = setTimeout(resolve, CLOSE_GRACE_MS)))])
    clearTimeout(grace)
    engine[Symbol.dispose]()
    await workbench[Symbol.asyncDispose]()
    await stored
  }

  return { ...dispatch, close: () => (closing ??= close()), enginePid: engine.pid }
}

function callHandlers(services: Services): Omit<CallHandlers, keyof typeof workbenchCalls | keyof typeof loadingCalls> {
  const { host, engine, library, settings, chats, targetOf } = services
  return {
    'app.info': () => appInfo(host),
    'app.openExternal': async ({ url }) => await openLink(host, url),
    'app.chooseFolder': async () => {
      if (host.chooseFolder === undefined) throw serviceError('app/unsupported', { what: 'choosing a folder', host: host.kind })
      return await host.chooseFolder()
    },
    'settings.get': settings.get,
    'settings.set': async ({ change }) => {
      const before = settings.get()
      const after = await settings.set(change)
      const state = engine.state()
      const isOther = LOAD_SETTINGS.some((key) => before[key] !== after[key])
      if (state.status === 'ready' && isOther) {
        loadInBackground(services, state.model.modelId)
      }
      return after
    },
    'library.list': library.list,
    'library.addFolder': async ({ path }) => await library.addFolder(path),
    'library.removeFolder': async ({ path }) => await library.removeFolder(path),
    'library.inspectPath': async ({ path }) => await library.inspectPath(path),
    'engine.load': async ({ modelId }) => await engine.load(await targetOf(modelId)),
    'engine.tokenizerCode': async ({ modelId }) => await engine.request('tokenizerCode', { path: (await targetOf(modelId)).path }),
    'engine.unload': async () => {
      await engine.unload()
      return null
    },
    'prepared.list': async () => await engine.request('listPrepared', { folder: preparedFolder(host.paths.dataFolder) }),
    'prepared.clear': async ({ name }) =>
      await engine.request('clearPrepared', { folder: preparedFolder(host.paths.dataFolder), name: name ?? null }),
    'plan.preview': async (request) => await previewPlan(services, request),
    'chats.list': ({ query }) => chats().list(query),
    'chats.create': () => chats().create(),
    'chats.get': ({ chatId }) => chats().get(chatId),
    'chats.rename': ({ chatId, title }) => {
      chats().rename(chatId, title)
      return null
    },
    'chats.delete': ({ chatId }) => {
      chats().moveToTrash(chatId)
      return null
    },
    'chats.restore': ({ chatId }) => {
      chats().restore(chatId)
      return null
    },
    'chats.configure': ({ chatId, systemPrompt, sampling }) => chats().configure(chatId, { systemPrompt, sampling }),
    'chats.selectBranch': ({ chatId, messageId }) => chats().selectBranch(chatId, messageId),
    'chats.stop': ({ chatId }) => {
      chats().stop(chatId)
      return null
    },
    'chats.tokens': ({ chatId, messageId }) => chats().tokens(chatId, messageId),
    'chats.prompt': async (input) => await chats().prompt(input),
    'engine.checkConstraint': async (input) => await engine.request('checkConstraint', input),
    'chats.contextUse': async ({ chatId, draft }) => await chats().contextUse(chatId, draft),
  }
}

function streamHandlers({ engine, chats }: Services): Omit<StreamHandlers, keyof typeof workbenchStreams | keyof typeof loadingStreams> {
  return {
    'engine.watch': async ({ emit, signal }) => {
      emit(engine.state())
      const unwatch = engine.watch((state: EngineState) => emit(state))
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      unwatch()
    },
    'chats.reply': async ({ input, emit, signal }) => await chats().reply({ ...input, emit, signal }),
  }
}

function appInfo(host: Host): AppInfo {
  const can = {
    chooseFolder: host.chooseFolder !== undefined,
    openExternal: host.openExternal !== undefined,
    dropPaths: host.canDropPaths,
    showFolder: host.showFolder !== undefined,
  }
  return { version: host.version, host: host.kind, platform: process.platform, can, dataFolder: host.paths.dataFolder }
}

async function previewPlan(services: Services, request: CallInput<'plan.preview'>): Promise<DevicePlan> {
  const { engine, targetOf } = services
  const { path, threads, ...chosen } = await targetOf(request.modelId)
  const contextLength = request.contextLength ?? chosen.contextLength
  const weightFormat = request.weightFormat ?? chosen.weightFormat
  const formatOverrides = request.weightFormat === undefined ? chosen.formatOverrides : []
  const plan = await engine.request('plan', { path, contextLength, weightFormat, formatOverrides, threads })
  const state = engine.state()
  const isLoaded = state.status === 'ready' && state.model.modelId === request.modelId
  const measuredBytes = isLoaded ? (await engine.request('memory', {})).residentBytes : null
  return { ...plan, modelId: request.modelId, devices: plan.devices.map((device) => ({ ...device, measuredBytes })) }
}

/** The outcome is in the engine's state, where windows see it. */
function loadInBackground({ engine, targetOf, host }: Services, modelId: string): void {
  targetOf(modelId)
    .then((target) => engine.load(target))
    .catch((failure: unknown) => host.log.warn('the model was not loaded', { modelId, failure: String(failure) }))
}

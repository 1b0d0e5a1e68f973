// A Bridge with services of its own in memory, for unit tests and for looking at the window without a host. Imports values only of the files that
// renderer-page.ts puts into a page beside it as one script.
import type {
  AppInfo,
  Bridge,
  CallInput,
  CallName,
  CallOutput,
  Chat,
  ContractError,
  EngineState,
  Message,
  ModelEntry,
  PreparedWeights,
  PromptToken,
  ReplyEvent,
  ReplyToken,
  Result,
  Settings,
  TokenizerCode,
  StreamInput,
} from '../../preload/contract'
import { branchOf, leafBelow, summarizeChat, withSiblings } from './fake-chats'
import { guideEntry, guideLoaded } from './fake-models'
import { fakePlan } from './fake-plan'
import { fakeLoadChoice, fakeLoadPreview, fakeMeasure } from './fake-loading'
import { createFakeWorkbench } from './fake-workbench'
import type { FakeWorkbench, FakeWorkbenchScenario } from './fake-workbench'

/** What the fake services begin with and how they behave. */
export interface FakeScenario {
  readonly info?: Partial<AppInfo>
  readonly settings?: Partial<Settings>
  readonly models?: readonly ModelEntry[]
  readonly engine?: EngineState
  readonly chats?: readonly Chat[]
  /** The reply, sent in pieces; a pause of 0 sends them in microtasks. */
  readonly reply?: { readonly pieces: readonly string[]; readonly pauseMs: number; readonly end?: Partial<Message> }
  /** Calls and streams that fail, by name. */
  readonly failures?: Readonly<Record<string, ContractError>>
  readonly usedTokens?: number
  readonly tokenizerCode?: TokenizerCode
  /** Tokens of replies by message id, and those of every prompt. */
  readonly tokens?: Readonly<Record<string, readonly ReplyToken[]>>
  readonly promptTokens?: readonly PromptToken[]
  readonly measuredBytes?: number | null
  /** Memory that is free, for the load dialog. */
  readonly freeBytes?: number
  readonly measuredFormats?: readonly string[]
  readonly measureStepMs?: number
  readonly droppedPath?: string
  readonly workbench?: FakeWorkbenchScenario
}

/** A bridge, with what tests look at and turn. */
export interface FakeBridge extends Bridge {
  readonly log: { readonly name: string; readonly input: unknown }[]
  readonly setEngine: (state: EngineState) => void
  readonly fail: (name: string, error: ContractError | null) => void
  readonly workbench: FakeWorkbench
}

/** Makes a fake bridge. */
export function createFakeBridge(scenario: FakeScenario = {}): FakeBridge {
  const log: { name: string; input: unknown }[] = []
  const failures = new Map(Object.entries(scenario.failures ?? {}))
  const chats = new Map<string, { chat: Chat; all: Message[]; deleted: boolean }>()
  const engineSinks = new Set<(state: EngineState) => void>()
  const running = new Map<string, () => void>()
  const workbench = createFakeWorkbench(scenario.workbench)
  const measured = new Set(scenario.measuredFormats ?? [])
  let lastId = 0
  let models = scenario.models ?? [guideEntry]
  let engine: EngineState = scenario.engine ?? { status: 'ready', model: guideLoaded }
  let prepared: PreparedWeights['files'] = [
    { name: 'a.prepared', model: 'guide', format: 'quality', sizeBytes: 12_000_000, lastUsedMs: 1_760_000_000_000 },
    { name: 'b.prepared', model: 'tiny-llama', format: 'q4 lm_head=q8', sizeBytes: 640_000_000, lastUsedMs: 1_750_000_000_000 },
  ]
  let settings: Settings = {
    theme: 'system',
    language: 'en',
    defaultModelId: null,
    systemPrompt: '',
    sampling: null,
    threads: null,
    contextLength: null,
    weightFormat: 'auto',
    modelLoads: [],
    preparedMaxBytes: null,
    trustedTokenizers: [],
    ...scenario.settings,
  }
  for (const chat of scenario.chats ?? []) chats.set(chat.id, { chat, all: [...chat.messages], deleted: false })

  const id = (kind: string): string => `${kind}-${++lastId}`
  const problem = (code: string, message: string, details = {}): never => {
    throw Object.assign(new Error(message), { contract: { code, message, details } })
  }
  const setEngine = (state: EngineState): void => {
    engine = state
    for (const sink of engineSinks) sink(state)
  }
  const stored = (chatId: string): { chat: Chat; all: Message[]; deleted: boolean } =>
    chats.get(chatId) ?? problem('chats/unknown', 'No such chat.')
  const save = (chatId: string, leaf: Message | undefined): Chat => {
    const entry = stored(chatId)
    entry.chat = { ...entry.chat, messages: branchOf(entry.all, leaf), updatedAtMs: Date.now() }
    return entry.chat
  }
  const entryAt = (path: string): ModelEntry => ({ ...guideEntry, id: path, path, name: path.split('/').at(-1) ?? path, source: 'folder' })

  const services: { readonly [N in CallName]: (input: CallInput<N>) => CallOutput<N> } = {
    ...workbench.services,
    'app.info': () => ({
      version: '0.1.0',
      host: 'electron',
      platform: 'linux',
      dataFolder: '/home/me/.local/share/weightroom',
      ...scenario.info,
      can: { chooseFolder: false, openExternal: true, dropPaths: true, showFolder: false, ...scenario.info?.can },
    }),
    'app.openExternal': () => null,
    'app.chooseFolder': () => '/home/me/models/chosen',
    'settings.get': () => settings,
    'settings.set': ({ change }) => {
      settings = { ...settings, ...(change as Partial<Settings>) }
      return settings
    },
    'library.list': () => models,
    'library.addFolder': ({ path }) => {
      if (!models.some((model) => model.id === path)) models = [...models, entryAt(path)]
      return models
    },
    'library.removeFolder': ({ path }) => (models = models.filter((model) => model.path !== path)),
    'library.inspectPath': ({ path }) =>
      path.includes('empty')
        ? {
            path,
            model: null,
            problem: { code: 'config/missing', message: `There is no config.json in ${path}.`, details: { directory: path } },
          }
        : { path, model: entryAt(path), problem: null },
    'engine.load': ({ modelId }) => {
      const model = { ...guideLoaded, modelId, name: models.find((each) => each.id === modelId)?.name ?? modelId }
      setEngine({ status: 'ready', model })
      return model
    },
    'engine.tokenizerCode': () => scenario.tokenizerCode ?? null,
    'engine.unload': () => {
      setEngine({ status: 'idle' })
      return null
    },
    'plan.preview': ({ modelId, contextLength }) =>
      fakePlan(models.find((each) => each.id === modelId) ?? guideEntry, { modelId, contextLength, measuredBytes: scenario.measuredBytes }),
    'loading.preview': ({ modelId, contextLength }) =>
      fakeLoadPreview(models.find((each) => each.id === modelId) ?? guideEntry, {
        modelId,
        contextLength,
        freeBytes: scenario.freeBytes,
        measured,
      }),
    'loading.choice': ({ modelId }) => fakeLoadChoice(settings, modelId),
    'loading.choose': ({ modelId, choice }) => {
      const others = settings.modelLoads.filter((load) => load.modelId !== modelId)
      settings = { ...settings, modelLoads: choice === null ? others : [...others, { modelId, choice }] }
      return null
    },
    'prepared.list': () => ({ files: prepared, totalBytes: preparedBytes(prepared) }),
    'prepared.clear': ({ name }) => {
      const leaving = prepared.filter((file) => name === undefined || file.name === name)
      prepared = prepared.filter((file) => !leaving.includes(file))
      return { freedBytes: preparedBytes(leaving) }
    },
    'chats.list': ({ query }) =>
      [...chats.values()]
        .filter((entry) => !entry.deleted)
        .flatMap((entry) => summarizeChat(entry.chat, query) ?? [])
        .sort((a, b) => b.updatedAtMs - a.updatedAtMs),
    'chats.create': () => {
      const chat: Chat = {
        id: id('chat'),
        title: '',
        createdAtMs: Date.now(),
        updatedAtMs: Date.now(),
        systemPrompt: null,
        sampling: null,
        messages: [],
      }
      chats.set(chat.id, { chat, all: [], deleted: false })
      return chat
    },
    'chats.get': ({ chatId }) => stored(chatId).chat,
    'chats.rename': ({ chatId, title }) => {
      const entry = stored(chatId)
      entry.chat = { ...entry.chat, title }
      return null
    },
    'chats.delete': ({ chatId }) => {
      stored(chatId).deleted = true
      return null
    },
    'chats.restore': ({ chatId }) => {
      stored(chatId).deleted = false
      return null
    },
    'chats.configure': ({ chatId, systemPrompt, sampling }) => {
      const entry = stored(chatId)
      entry.chat = { ...entry.chat, systemPrompt, sampling }
      return entry.chat
    },
    'chats.selectBranch': ({ chatId, messageId }) => {
      const { all } = stored(chatId)
      const message = all.find((each) => each.id === messageId) ?? problem('chats/unknown-message', 'No such message.')
      return save(chatId, leafBelow(all, message))
    },
    'chats.stop': ({ chatId }) => {
      running.get(chatId)?.()
      return null
    },
    'chats.tokens': ({ messageId }) => scenario.tokens?.[messageId] ?? null,
    'chats.prompt': ({ messageId, draft }) => ({
      text: `<s>[INST] ${draft} [/INST]`,
      tokens: scenario.promptTokens ?? [
        { id: 1, text: '<s>', special: true },
        { id: 733, text: '[', special: false },
        { id: 16289, text: 'INST', special: false },
        { id: 28793, text: ']', special: false },
        ...draft.split(/(?= )/).map((text, index) => ({ id: 2000 + index, text, special: false })),
      ],
      asSent: messageId !== null,
    }),
    'engine.checkConstraint': ({ constraint }) =>
      constraint.text.includes('multipleOf')
        ? problem('generate/schema-unsupported', 'The JSON schema uses multipleOf.', { keyword: 'multipleOf', pointer: '/' })
        : null,
    'chats.contextUse': ({ draft }) => ({ usedTokens: (scenario.usedTokens ?? 180) + Math.ceil(draft.length / 4), contextLength: 2048 }),
  }

  const attempt = <T>(name: string, input: unknown, serve: () => T): Result<T> => {
    log.push({ name, input })
    const failure = failures.get(name)
    if (failure !== undefined) return { ok: false, error: failure }
    try {
      return { ok: true, value: serve() }
    } catch (thrown) {
      const error = (thrown as { contract?: ContractError }).contract
      return { ok: false, error: error ?? { code: 'fake/failure', message: String(thrown), details: {} } }
    }
  }

  const newMessage = (chatId: string, role: Message['role'], parentId: string | null, content: string): Message => ({
    id: id('message'),
    chatId,
    parentId,
    role,
    content,
    createdAtMs: Date.now(),
    status: role === 'user' ? 'complete' : 'streaming',
    finishReason: null,
    stats: null,
    error: null,
    modelName: role === 'user' ? null : 'guide',
    hasTokens: false,
    siblingIds: [],
  })

  const reply = async (
    { chatId, action }: StreamInput<'chats.reply'>,
    sink: { readonly event: (event: ReplyEvent) => void; readonly end: (result: Result<null>) => void },
    closed: { value: boolean },
  ): Promise<void> => {
    const entry = stored(chatId)
    const { all } = entry
    const { pieces, pauseMs, end } = {
      pieces: ['A tensor ', 'is an array ', 'with **more** axes.'],
      pauseMs: 0,
      end: {},
      ...scenario.reply,
    }
    const pause = (): Promise<void> => (pauseMs === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, pauseMs)))
    const named = action.kind === 'send' ? undefined : all.find((each) => each.id === action.messageId)
    let question = all.find((each) => each.id === named?.parentId)
    if (action.kind === 'send' || action.kind === 'edit') {
      const parentId = action.kind === 'edit' ? (named?.parentId ?? null) : (entry.chat.messages.at(-1)?.id ?? null)
      question = newMessage(chatId, 'user', parentId, action.content)
      all.push(question)
      if (entry.chat.title === '') entry.chat = { ...entry.chat, title: action.content.slice(0, 60) }
      sink.event({ type: 'question', message: withSiblings(all, question) })
    }
    const beginning =
      action.kind === 'branch'
        ? (scenario.tokens?.[action.messageId] ?? [])
            .slice(0, action.token + 1)
            .map((token, index) => (index === action.token ? (token.alternatives[action.alternative]?.text ?? '') : token.text))
            .join('')
        : ''
    let answer = newMessage(chatId, 'assistant', question?.id ?? null, beginning)
    if (action.kind === 'continue' && named !== undefined) answer = { ...named, status: 'streaming', finishReason: null }
    else all.push(answer)
    save(chatId, answer)
    sink.event({ type: 'started', message: withSiblings(all, answer) })
    const stopped = { value: false }
    running.set(chatId, () => {
      stopped.value = true
    })
    await pause()
    sink.event({ type: 'prefill', doneTokens: 64, totalTokens: 128 })
    for (const piece of pieces) {
      await pause()
      if (stopped.value || closed.value) break
      answer = { ...answer, content: answer.content + piece }
      sink.event({ type: 'delta', messageId: answer.id, text: piece })
    }
    running.delete(chatId)
    const stats = {
      promptTokens: 31,
      cachedTokens: 12,
      completionTokens: pieces.length,
      ttftMs: 184,
      tokensPerSecond: 43.6,
      totalMs: 2140,
      seed: 7,
    }
    answer = { ...answer, status: 'complete', finishReason: stopped.value || closed.value ? 'cancelled' : 'stop', stats, ...end }
    all.splice(
      all.findIndex((each) => each.id === answer.id),
      1,
      answer,
    )
    save(chatId, answer)
    sink.event({ type: 'finished', message: withSiblings(all, answer) })
    sink.end({ ok: true, value: null })
  }

  return {
    log,
    workbench,
    setEngine,
    fail: (name, error) => {
      if (error === null) failures.delete(name)
      else failures.set(name, error)
    },
    pathForFile: () => scenario.droppedPath ?? '',
    calls: Object.fromEntries(
      Object.entries(services).map(([name, serve]) => [
        name,
        (input: never) => Promise.resolve().then(() => attempt(name, input, () => (serve as (given: never) => unknown)(input))),
      ]),
    ) as unknown as Bridge['calls'],
    streams: {
      'engine.watch': (_input, sink) => {
        engineSinks.add(sink.event)
        sink.event(engine)
        return () => engineSinks.delete(sink.event)
      },
      'loading.measure': (input, sink) => {
        log.push({ name: 'loading.measure', input })
        const failure = failures.get('loading.measure')
        if (failure === undefined) return fakeMeasure(input.formats, sink, { measured, stepMs: scenario.measureStepMs ?? 5 })
        queueMicrotask(() => sink.end({ ok: false, error: failure }))
        return () => undefined
      },
      'conversions.watch': (_input, sink) => workbench.watchConversions(sink),
      'checkpoint.statistics': (input, sink) => workbench.statistics(input, sink),
      'chats.reply': (input, sink) => {
        log.push({ name: 'chats.reply', input })
        const closed = { value: false }
        const failure = failures.get('chats.reply')
        if (failure === undefined) void reply(input, sink, closed)
        else queueMicrotask(() => sink.end({ ok: false, error: failure }))
        return () => (closed.value = true)
      },
    },
  }
}

function preparedBytes(files: PreparedWeights['files']): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

// The window's other state: lists, engine, models, planner, notices, and what follows from losing the host.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ChatList } from '../../../renderer/state/chat-list.svelte'
import { EngineStatus } from '../../../renderer/state/engine-status.svelte'
import { Library } from '../../../renderer/state/library.svelte'
import { Navigation } from '../../../renderer/state/navigation.svelte'
import { Opening } from '../../../renderer/state/opening.svelte'
import { Planner } from '../../../renderer/state/planner.svelte'
import { Session } from '../../../renderer/state/session.svelte'
import { SettingsState } from '../../../renderer/state/settings.svelte'
import { Toasts } from '../../../renderer/state/toasts.svelte'
import { guideEntry, guideLoaded } from '../../support/fake-models'
import { createFakeClient, settle } from '../../support/renderer-client'

const failure = { code: 'settings/not-saved', message: 'no', details: {} }
afterEach(() => vi.useRealTimers())

describe('list of conversations', () => {
  it('drops an answer that a later request overtook', async () => {
    const { client } = createFakeClient()
    const answers: ((items: never[]) => void)[] = []
    const list = new ChatList({ ...client, call: () => new Promise((resolve) => answers.push(resolve)) })
    const [early, late] = [list.refresh(), list.refresh()]
    answers[1]?.([{ id: 'late' }] as never)
    answers[0]?.([{ id: 'early' }] as never)
    await Promise.all([early, late])
    expect(list.items.map(({ id }) => id)).toEqual(['late'])
  })

  it('searches after a pause in typing', async () => {
    vi.useFakeTimers()
    const { client, bridge } = createFakeClient()
    const list = new ChatList(client)
    for (const query of ['s', 'sh', 'shard']) list.search(query)
    await vi.advanceTimersByTimeAsync(500)
    expect(bridge.log).toEqual([{ name: 'chats.list', input: { query: 'shard' } }])
    expect([list.query, list.answeredQuery]).toEqual(['shard', 'shard'])
  })

  it('keeps the old title where renaming failed', async () => {
    const { client, bridge } = createFakeClient()
    const { id } = await client.call('chats.create', {})
    await client.call('chats.rename', { chatId: id, title: 'old' })
    const list = new ChatList(client)
    await list.refresh()
    bridge.fail('chats.rename', failure)
    expect(await list.rename(id, 'new')).toEqual(failure)
    expect(list.items[0]?.title).toBe('old')
  })

  it('says why it could not be read', async () => {
    const list = new ChatList(createFakeClient({ failures: { 'chats.list': failure } }).client)
    await list.refresh()
    expect(list).toMatchObject({ status: 'failed', error: failure })
  })
})

describe('settings', () => {
  it('take a change back that could not be stored', async () => {
    const { client, bridge } = createFakeClient()
    const settings = new SettingsState(client)
    await settings.load()
    bridge.fail('settings.set', failure)
    const change = settings.change({ theme: 'dark' })
    expect(settings.value?.theme).toBe('dark')
    expect(await change).toEqual(failure)
    expect(settings.value?.theme).toBe('system')
  })
})

describe('engine', () => {
  it('is followed through its states', async () => {
    const { client, bridge } = createFakeClient({ engine: { status: 'starting' } })
    const engine = new EngineStatus(client)
    const abort = new AbortController()
    const watch = engine.watch(abort.signal)
    bridge.setEngine({ status: 'loading', modelId: 'guide', stage: 'weights', fraction: 0.5 })
    await settle()
    expect(engine.state).toMatchObject({ status: 'loading', fraction: 0.5 })
    bridge.setEngine({ status: 'ready', model: guideLoaded })
    await settle()
    expect(engine.model?.name).toBe('guide')
    abort.abort()
    await watch
  })

  it('is watched again after the watch ended', async () => {
    const { client, bridge } = createFakeClient()
    const watch = vi.spyOn(bridge.streams, 'engine.watch').mockImplementationOnce((_input, sink) => {
      queueMicrotask(() => sink.end({ ok: false, error: failure }))
      return () => undefined
    })
    const abort = new AbortController()
    const engine = new EngineStatus(client)
    void engine.watch(abort.signal)
    await vi.waitFor(() => expect(watch).toHaveBeenCalledTimes(2), { timeout: 3_000 })
    await settle()
    expect(engine.state.status).toBe('ready')
    abort.abort()
  })
})

describe('opening a model', () => {
  function opening(scenario = {}) {
    const { client, bridge } = createFakeClient(scenario)
    const library = new Library(client)
    const then = { openModel: vi.fn(), showModels: vi.fn(), look: vi.fn() }
    return { bridge, library, then, opening: new Opening(library, then) }
  }

  it('looks into what was dropped, whatever it is', async () => {
    const { opening: steps, then } = opening()
    await steps.take({ kind: 'path', path: '/models/empty' })
    expect(then.look).toHaveBeenCalledWith('/models/empty')
    expect(then.openModel).not.toHaveBeenCalled()
    expect(steps.step.kind).toBe('none')
  })

  it('lists a model and goes to a chat with it', async () => {
    const { opening: steps, library, then } = opening()
    await steps.chat('/models/tiny')
    expect(then.openModel).toHaveBeenCalledWith(expect.objectContaining({ id: '/models/tiny' }))
    expect(library.entries.map(({ id }) => id)).toEqual(['guide', '/models/tiny'])
  })

  it('shows why a folder is no model', async () => {
    const { opening: steps, then } = opening()
    await steps.chat('/models/empty')
    expect(steps.step).toMatchObject({ kind: 'refused', error: { code: 'config/missing' } })
    expect(then.openModel).not.toHaveBeenCalled()
  })

  it('asks where a folder lies that the browser does not tell, and keeps its files to be sent', async () => {
    const { opening: steps, then } = opening()
    const files = [{ name: 'tiny/config.json', file: new File(['{}'], 'config.json') }]
    await steps.take({ kind: 'name', name: 'tiny' }, files)
    expect(steps.step).toMatchObject({ kind: 'ask', purpose: 'open', path: 'tiny', files })
    await steps.answer('/models/tiny')
    expect(steps.step.kind).toBe('none')
    expect(then.look).toHaveBeenCalledWith('/models/tiny')
  })

  it('lists a folder of models', async () => {
    const { opening: steps, bridge, then } = opening()
    vi.spyOn(bridge.calls, 'library.inspectPath').mockResolvedValue({
      ok: true,
      value: { path: '/models', model: null, problem: { code: 'library/folder-of-models', message: '', details: {} } },
    })
    await steps.open('/models')
    expect(then.showModels).toHaveBeenCalledOnce()
    expect(bridge.log.some(({ name }) => name === 'library.addFolder')).toBe(true)
  })

  it('says exactly what is wrong where adding only says that there is no model', async () => {
    const { opening: steps } = opening({ failures: { 'library.addFolder': { code: 'library/no-model', message: '', details: {} } } })
    steps.ask('add', '')
    await steps.answer('/models/empty')
    expect(steps.step).toMatchObject({ kind: 'ask', error: { code: 'config/missing' } })
  })
})

describe('removing a model', () => {
  const inside = { ...guideEntry, id: '/models/a', path: '/models/a', source: 'folder' as const }

  it('forgets its own folder', async () => {
    const { client } = createFakeClient({ models: [guideEntry, inside] })
    const library = new Library(client)
    expect(await library.removeModel(inside)).toEqual({ folder: '/models/a' })
    expect(library.entries.map(({ id }) => id)).toEqual(['guide'])
  })

  it('forgets the folder around it where that was added', async () => {
    const { client, bridge } = createFakeClient({ models: [inside] })
    vi.spyOn(bridge.calls, 'library.removeFolder').mockImplementation(({ path }) =>
      Promise.resolve({ ok: true, value: path === '/models' ? [] : [inside] }),
    )
    expect(await new Library(client).removeModel(inside)).toEqual({ folder: '/models' })
  })
})

describe('planner', () => {
  it('plans again after the slider rested', async () => {
    vi.useFakeTimers()
    const { client, bridge } = createFakeClient()
    const planner = new Planner(client)
    await planner.show('guide', null)
    const before = planner.plan?.devices[0]?.predicted.kvBytes ?? 0
    for (const tokens of [1024, 512, 256]) planner.setContextLength(tokens)
    expect(planner.contextLength).toBe(256)
    await vi.advanceTimersByTimeAsync(300)
    expect(bridge.log.map(({ input }) => input)).toEqual([
      { modelId: 'guide', contextLength: null },
      { modelId: 'guide', contextLength: 256 },
    ])
    expect(planner.plan?.devices[0]?.predicted.kvBytes).toBeLessThan(before)
  })
})

describe('notices', () => {
  it('go by themselves, but not while they are pointed at', () => {
    vi.useFakeTimers()
    const toasts = new Toasts()
    toasts.show({ text: 'a', tone: 'plain', action: null })
    const id = toasts.items[0]?.id ?? 0
    toasts.hold(id)
    vi.advanceTimersByTime(60_000)
    expect(toasts.items).toHaveLength(1)
    toasts.resume(id)
    vi.advanceTimersByTime(60_000)
    expect(toasts.items).toEqual([])
  })
})

describe('columns', () => {
  it('float one at a time in a narrow window and keep their place in a wide one', () => {
    const navigation = new Navigation()
    expect([navigation.sidebarOpen, navigation.panelOpen]).toEqual([true, false])
    navigation.setNarrow(true)
    expect([navigation.sidebarOpen, navigation.panelOpen]).toEqual([false, false])
    navigation.toggle('sidebar')
    navigation.toggle('panel')
    expect([navigation.sidebarOpen, navigation.panelOpen]).toEqual([false, true])
    navigation.setNarrow(false)
    expect([navigation.sidebarOpen, navigation.panelOpen]).toEqual([true, false])
  })
})

describe('session', () => {
  it('reads everything again when the host is back', async () => {
    const { client, bridge, setConnection } = createFakeClient()
    const session = new Session(client)
    session.start()
    await settle()
    const before = bridge.log.length
    setConnection('lost')
    expect(session.connection.state).toBe('lost')
    setConnection('connected')
    await settle()
    expect(bridge.log.slice(before).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['app.info', 'settings.get', 'library.list', 'chats.list']),
    )
    session[Symbol.dispose]()
  })

  it('deletes a chat, leaves it, and takes it back on request', async () => {
    const { client } = createFakeClient()
    const session = new Session(client)
    await session.conversations.current.send('hello')
    const chatId = session.conversations.current.chatId ?? ''
    await session.deleteChat(chatId, 'hello')
    expect(session.conversations.current.chatId).toBeNull()
    expect(session.chats.items).toEqual([])
    session.toasts.items[0]?.action?.run()
    await settle()
    expect(session.conversations.current.chatId).toBe(chatId)
    expect(session.chats.items).toHaveLength(1)
    session[Symbol.dispose]()
  })

  it('asks for agreement where a model has code of its own, from the list and from the sheet alike', async () => {
    const error = { code: 'tokenizer/custom-code-needs-consent', message: 'no', details: {} }
    const code = { folder: '/m', className: 'Own', hash: 'a'.repeat(64), sources: [] }
    const { client } = createFakeClient({ tokenizerCode: code, failures: { 'engine.load': error } })
    const session = new Session(client)
    await session.load('guide')
    expect(session.consent.asked?.modelId).toBe('guide')
    session.consent.cancel()
    await session.loadSheet.open(guideEntry)
    await session.loadChosen()
    expect(session.consent.asked?.modelId).toBe('guide')
    expect(session.toasts.items).toEqual([])
    session[Symbol.dispose]()
  })

  it('announces a reply when it ends, not at each token', async () => {
    const { client } = createFakeClient()
    const session = new Session(client)
    const told = new Set<string>()
    const sent = session.conversations.current.send('hello')
    for (let round = 0; round < 30; round += 1) {
      told.add(session.announcement)
      await Promise.resolve()
    }
    await sent
    told.add(session.announcement)
    expect([...told].filter((text) => text !== '')).toEqual([
      'The reply is being written.',
      'Reply: A tensor is an array with **more** axes.',
    ])
    session[Symbol.dispose]()
  })
})

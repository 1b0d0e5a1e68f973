// The preload of the Electron host: one function per contract entry on `window.weightroom`, and nothing else of Electron.
import { contextBridge, ipcRenderer, webUtils } from 'electron'
import { calls, channels, streams } from './contract'
import type { Bridge, Result } from './contract'

interface Sink {
  readonly event: (event: unknown) => void
  readonly end: (result: Result<null>) => void
}

const sinks = new Map<number, Sink>()
let lastStreamId = 0

ipcRenderer.on(channels.event, (_, id: number, event: unknown) => sinks.get(id)?.event(event))
ipcRenderer.on(channels.end, (_, id: number, result: Result<null>) => {
  const sink = sinks.get(id)
  sinks.delete(id)
  sink?.end(result)
})

function openStream(name: string): (input: unknown, sink: Sink) => () => void {
  return (input, sink) => {
    lastStreamId += 1
    const id = lastStreamId
    // Plain functions cross the bridge; a sink object with methods is copied member by member.
    sinks.set(id, { event: sink.event, end: sink.end })
    ipcRenderer.send(channels.open, id, name, input)
    return () => ipcRenderer.send(channels.close, id)
  }
}

function eachEntry<F>(entries: object, make: (name: string) => F): Record<string, F> {
  return Object.fromEntries(Object.keys(entries).map((name) => [name, make(name)]))
}

const bridge: { readonly [K in keyof Bridge]: unknown } = {
  calls: eachEntry(
    calls,
    (name) =>
      (input: unknown): Promise<unknown> =>
        ipcRenderer.invoke(channels.call, name, input),
  ),
  streams: eachEntry(streams, openStream),
  pathForFile: (file: File) => webUtils.getPathForFile(file),
}

contextBridge.exposeInMainWorld('weightroom', bridge)

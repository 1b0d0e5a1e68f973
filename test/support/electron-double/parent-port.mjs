// Gives a forked process the `process.parentPort` that Electron's utility process has: messages wait until someone listens.
import { EventEmitter } from 'node:events'

const port = new EventEmitter()
const waiting = []
port.postMessage = (message) => process.send(message)
port.start = () => undefined
port.on('newListener', (event, listener) => {
  if (event === 'message') queueMicrotask(() => waiting.splice(0).forEach((message) => listener(message)))
})
process.on('message', (data) => {
  const message = { data, ports: [] }
  if (port.listenerCount('message') === 0) waiting.push(message)
  else port.emit('message', message)
})
process.on('disconnect', () => process.exit(0))
process.parentPort = port

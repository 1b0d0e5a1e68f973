// Gives a forked process the `process.parentPort` that Electron's utility process has.
import { EventEmitter } from 'node:events'

const port = new EventEmitter()
port.postMessage = (message) => process.send(message)
port.start = () => undefined
process.on('message', (data) => port.emit('message', { data, ports: [] }))
process.parentPort = port

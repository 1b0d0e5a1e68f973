// The worker's end of the channel: Electron's parentPort in a utility process, process.send under child_process.fork.

/** A message channel to the app. */
export interface WorkerPort {
  readonly post: (message: unknown) => void
  readonly onMessage: (listener: (message: unknown) => void) => void
  /** The app is gone. */
  readonly onClose: (listener: () => void) => void
}

/** What of Electron's ParentPort is used. */
interface ParentPort {
  readonly postMessage: (message: unknown) => void
  readonly on: (event: 'message', listener: (event: { readonly data: unknown }) => void) => void
}

/** The channel of this process. Throws when the process was not forked by a host. */
export function openWorkerPort(): WorkerPort {
  const parent: unknown = Reflect.get(process, 'parentPort')
  if (isParentPort(parent)) {
    return {
      post: (message) => parent.postMessage(message),
      onMessage: (listener) => parent.on('message', ({ data }) => listener(data)),
      // Electron ends a utility process with the app.
      onClose: () => undefined,
    }
  }
  if (process.send === undefined) throw new Error('The engine process is started by the app, not by hand.')
  return {
    post: (message) => void process.send?.(message),
    onMessage: (listener) => void process.on('message', listener),
    onClose: (listener) => void process.on('disconnect', listener),
  }
}

function isParentPort(value: unknown): value is ParentPort {
  return typeof value === 'object' && value !== null && 'postMessage' in value && 'on' in value
}

// A process that prepares weights and kills itself once so many bytes are done. Arguments: source, folder, matrices, bytes.
import { prepareFile, requestsOf } from './some-weights'

const [source = '', folder = '', count = '', killAt = ''] = process.argv.slice(2)
await prepareFile(source, {
  folder,
  requests: requestsOf(Number(count)),
  onProgress: ({ doneBytes }) => {
    if (doneBytes >= Number(killAt)) process.kill(process.pid, 'SIGKILL')
  },
})

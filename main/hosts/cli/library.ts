// The model library inside the command line: the app's own list, described in this process.
import { describeModel } from '../../engine/worker/describe'
import { createLibraryService, type LibraryService } from '../../library/library-service'
import { consoleLog } from '../console-log'
import { dataFolder } from '../data-folder'
import { hubCacheFolder } from '../hub-cache-folder'
import { resourcesFolder } from '../resources-folder'

/** Opens the library of this person and machine. */
export async function openLibrary(signal: AbortSignal): Promise<LibraryService> {
  const { env } = process
  return createLibraryService({
    paths: { dataFolder: dataFolder(env), resourcesFolder: resourcesFolder(), hfCacheFolder: hubCacheFolder(env) },
    describe: (path) => describeModel(path, signal),
    clock: { now: Date.now },
    log: consoleLog,
  })
}

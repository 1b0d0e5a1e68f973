// Where the app's resources lie: beside the code in a clone and in an npm install, under Electron's resources folder in an installed app.
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ServiceError } from '../service-error'

/** The file that marks the folder: every build carries the built-in model. */
const MARKER = join('guide', 'config.json')

/** Folders that could hold the resources of code in `codeFolder`, nearest first. */
function* candidates(codeFolder: string): Generator<string> {
  // Electron alone has this property.
  if ('resourcesPath' in process && typeof process.resourcesPath === 'string') yield process.resourcesPath
  for (let folder = codeFolder; ; folder = dirname(folder)) {
    // An installed app keeps its code in resources/app.asar.unpacked, so that the resources are one of the folders above.
    if (basename(folder) === 'resources') yield folder
    yield join(folder, 'resources')
    if (folder === dirname(folder)) return
  }
}

/** Absolute path of the folder that holds `guide`. Throws "app/resources-missing" when the installation is incomplete. */
export function resourcesFolder(codeFolder: string = import.meta.dirname): string {
  for (const folder of candidates(codeFolder)) if (existsSync(join(folder, MARKER))) return folder
  throw new ServiceError({
    code: 'app/resources-missing',
    message: `The built-in model was not found in any resources folder above ${codeFolder}: the installation is incomplete.`,
    details: { codeFolder },
  })
}

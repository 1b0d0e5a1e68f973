// Where prepared weights lie: in the data folder, so that the window, the browser host and the command line share them.
import { join } from 'node:path'
import { dataFolder } from './data-folder'

/** The folder of prepared weights. */
export function preparedFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(dataFolder(env), 'prepared')
}

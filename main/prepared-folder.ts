// Where prepared weights lie: in the data folder, so that the window, the browser host and the command line share them.
import { join } from 'node:path'

/** The folder of prepared weights below a data folder. */
export function preparedFolder(dataFolder: string): string {
  return join(dataFolder, 'prepared')
}

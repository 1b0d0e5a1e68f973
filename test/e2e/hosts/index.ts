// Every host the suite runs on.
import { electronHost } from './electron'
import { electronDouble } from './electron-double'
import type { HostKind } from './types'
import { webHost } from './web'

export const hostKinds: readonly HostKind[] = [webHost, electronDouble, electronHost]

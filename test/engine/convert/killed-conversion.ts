// A process that converts and kills itself: at the n-th event of a kind, or before the n-th rename. Arguments: the request and the death, as JSON.
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import type { ConversionRequest } from '../../../engine/convert/types'

const [request, death] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as [
  ConversionRequest,
  { at: string; count: number },
]
let left = death.count

function countDown(what: string): void {
  if (what === death.at && --left === 0) process.kill(process.pid, 'SIGKILL')
}

const { rename } = fs
fs.rename = (...args) => {
  countDown('rename')
  return rename(...args)
}
syncBuiltinESMExports()

const { convert } = await import('../../../engine/convert/convert')
await convert({ ...request, onEvent: ({ type }) => countDown(type) })

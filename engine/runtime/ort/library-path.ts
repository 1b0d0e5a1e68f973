// Where onnxruntime-node 1.30 keeps the shared library for a machine: bin/napi-v6/<platform>/<arch>/<name>.
import { join } from 'node:path'

import { engineError } from '../../errors'

/** Library file names by platform, as the package ships them. */
const LIBRARY_NAMES: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
}

/**
 * Path of the library inside the package's folder. An installed app keeps it beside its archive, because the system's loader cannot read inside one.
 * Throws "runtime/ort-unavailable" for a platform that has none.
 */
export function ortLibraryPath(options: {
  readonly packageFolder: string
  readonly platform: NodeJS.Platform
  readonly arch: string
}): string {
  const { platform, arch } = options
  const name = LIBRARY_NAMES[platform]
  if (name === undefined) throw engineError('runtime/ort-unavailable', { reason: `there is no ONNX Runtime for ${platform}/${arch}` })
  const packageFolder = options.packageFolder.replace(/([\\/])app\.asar(?=[\\/])/, '$1app.asar.unpacked')
  return join(packageFolder, 'bin', 'napi-v6', platform, arch, name)
}

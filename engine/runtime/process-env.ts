// The environment that the engine's process is started with; both entries are read once, before any of our code runs or the library loads.

/**
 * Environment variables for the engine process; merge them over the parent's when it is forked.
 *
 * `MALLOC_MMAP_THRESHOLD_` (glibc, bytes): blocks from 256 KiB up are mapped one by one, so a released session gives its memory back to the
 * system; otherwise 300-380 MB stay behind. `ORT_DISABLE_TELEMETRY`: the official ONNX Runtime builds report usage unless it is set.
 */
export const engineProcessEnv = {
  MALLOC_MMAP_THRESHOLD_: '262144',
  ORT_DISABLE_TELEMETRY: '1',
} as const satisfies Readonly<Record<string, string>>

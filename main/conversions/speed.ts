// Speed and time left of something that counts bytes, over the last seconds, so that neither a slow start nor a single jump is believed.

/** What is looked back at: long enough to be calm, short enough to follow a disk that slows down. */
const WINDOW_MS = 4_000
/** Before this much is known, no speed is told. */
const LEAST_MS = 500

/** Bytes per second and milliseconds left; null before they can be told. */
export interface Speed {
  readonly bytesPerSecond: number | null
  readonly leftMs: number | null
}

/** Makes a meter; each look takes the bytes that are done now. */
export function createSpeedMeter(): (look: { readonly nowMs: number; readonly doneBytes: number; readonly totalBytes: number }) => Speed {
  const seen: { readonly atMs: number; readonly doneBytes: number }[] = []
  return ({ nowMs, doneBytes, totalBytes }) => {
    seen.push({ atMs: nowMs, doneBytes })
    while (seen.length > 2 && (seen[1]?.atMs ?? nowMs) < nowMs - WINDOW_MS) seen.shift()
    const [first] = seen
    const elapsedMs = nowMs - (first?.atMs ?? nowMs)
    const bytes = doneBytes - (first?.doneBytes ?? doneBytes)
    if (elapsedMs < LEAST_MS || bytes <= 0) return { bytesPerSecond: null, leftMs: null }
    const bytesPerSecond = (bytes / elapsedMs) * 1000
    return { bytesPerSecond, leftMs: ((totalBytes - doneBytes) / bytesPerSecond) * 1000 }
  }
}

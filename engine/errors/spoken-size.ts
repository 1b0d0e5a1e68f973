// Sizes in sentences for people.
const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const

/** Bytes in decimal units with three digits at most, as disks are sold and file managers count: "24.1 MB". */
export function spokenSize(sizeBytes: number): string {
  let value = sizeBytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${Number(value.toPrecision(3))} ${UNITS[unit] ?? ''}`
}

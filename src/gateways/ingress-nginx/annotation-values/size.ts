// Reads the size of a buffer as nginx reads it.

/**
 * Bytes of a size ('16k', '1m', '8192') that nginx can load for a buffer, undefined if it is none. The controller also
 * accepts 16b, 1g and '16 k' and writes them down as they are; nginx then refuses its whole configuration.
 */
export function sizeInBytes(value: string): number | undefined {
  const match = /^ *(\d{1,15})([km]?) *$/i.exec(value)
  if (match === null) return undefined
  const unit = match[2]?.toLowerCase()
  const bytes = Number(match[1]) * (unit === 'm' ? 1024 * 1024 : unit === 'k' ? 1024 : 1)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

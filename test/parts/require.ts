// Whether the parts that a test suite needs are there, and what the suite says when they are not.
import { describe } from '@jest/globals'
import type { PartName } from './catalogue.ts'
import { absence, type Environment, locate } from './locate.ts'

export type Availability = { available: boolean; reason: string }

/** In CI a missing part is a failure: a suite that is left out there would protect nobody. */
export const requireParts = (names: readonly PartName[], env: Environment = process.env): Availability => {
  const missing = names.filter(name => locate(name, env) === undefined)
  if (missing.length === 0) return { available: true, reason: '' }
  const reason = absence(missing)
  if (env.CI) throw new Error(reason)
  return { available: false, reason }
}

/** A suite on real parts: without them one line says so, and the suite is reported as skipped with the reason. */
export const describeWithParts = (title: string, names: readonly PartName[], body: () => void): void => {
  const { available, reason } = requireParts(names)
  if (available) {
    describe(title, body)
    return
  }
  process.stderr.write(`Left out: "${title}": ${reason}\n`)
  describe.skip(`${title} (left out: ${reason})`, body)
}

// Whether a stored spec is the one that was asked for: a server fills in fields that nobody wrote.
import { isObject } from './json.ts'

/** Fields that the gateways' CRDs fill in where we say nothing. */
const DEFAULTS: Readonly<Record<string, unknown>> = { group: '', kind: 'Service', weight: 1 }

/** Whether our fields have our values. A field that we did not write may only be a default of the server's. */
export function isRight(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((each, index) => isRight(actual[index], each))
    )
  }
  if (!isObject(wanted)) return actual === wanted
  if (!isObject(actual)) return false
  for (const key of Object.keys(wanted)) if (!isRight(actual[key], wanted[key])) return false
  return Object.keys(actual).every(key => key in wanted || (key in DEFAULTS && DEFAULTS[key] === actual[key]))
}

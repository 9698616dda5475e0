// What is taken up first: guards before the routes that rely on them, and last what only tells, such as a status.
import { type Context, known } from '../context.ts'
import type { Key } from '../keys.ts'
import { nextSteps } from '../steps/steps.ts'

/** Whether a key can wait for others, where many are due at once. What somebody has just broken never does. */
export function canWait(key: Key, context: Context): boolean {
  if (key.of === 'route') return true
  return key.of === 'team' && nextSteps(key, known(context)).length === 0
}

// Rules that an alphabet cannot say: in TypeScript for files and, where the API server checks them too, in CEL beside it.
import type * as z from 'zod'

export type Condition<T> = {
  readonly holds: (value: T) => boolean
  /** What to do, in one line. */
  readonly message: string
  /** The field that is to blame, below the value. */
  readonly at?: readonly string[]
  /** Fields below the value that it reads; while one of them is wrong in itself, the condition waits. */
  readonly reads?: readonly (readonly string[])[]
}

/** A condition of a custom resource; in `cel`, `self` is the value with its defaults. */
export type Rule<T> = Condition<T> & { readonly cel: string }

/** The schema with rules of its own, which also go into the CRD. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  return refined(schema, rules).meta({ 'x-kubernetes-validations': rules.map(validation) })
}

/** The schema with conditions of its own, each judged even while something else is wrong. */
export function refined<S extends z.ZodType>(schema: S, conditions: readonly Condition<z.output<S>>[]): S {
  return schema.superRefine(
    (value, context) => {
      const broken = context.issues.flatMap(brokenPaths)
      for (const { holds, message, at = [], reads = [[]] } of conditions) {
        if (reads.some(read => broken.some(path => overlap(path, read)))) continue
        if (!holds(value)) context.addIssue({ code: 'custom', message, path: [...at], input: value })
      }
    },
    { when: () => true },
  )
}

function validation({ cel, message, at = [] }: { cel: string; message: string; at?: readonly string[] }): object {
  if (at.length === 0) return { rule: cel, message }
  return { rule: cel, message, fieldPath: at.map(step => `.${step}`).join('') }
}

/** An unknown field breaks nothing but itself. */
function brokenPaths(issue: z.core.$ZodRawIssue): PropertyKey[][] {
  const path = issue.path ?? []
  return issue.code === 'unrecognized_keys' ? issue.keys.map(key => [...path, key]) : [path]
}

function overlap(a: readonly PropertyKey[], b: readonly PropertyKey[]): boolean {
  const length = Math.min(a.length, b.length)
  return a.slice(0, length).every((step, i) => step === b[i])
}

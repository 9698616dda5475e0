// The envelope of our custom resources: only the spec is strict, metadata and status are the cluster's.
import * as z from 'zod'

export const GROUP = 'auth.example'
export const VERSION = 'v1alpha1'

export function document<Name extends z.ZodType<string>, Spec extends z.ZodType>(kind: string, name: Name, spec: Spec) {
  return z.strictObject({
    apiVersion: z.literal(`${GROUP}/${VERSION}`),
    kind: z.literal(kind),
    metadata: z.looseObject({ name, uid: z.string().nullish(), creationTimestamp: z.string().nullish() }),
    spec,
    status: z.unknown().optional(),
  })
}

type Metadata = { name: string; uid?: string | null | undefined; creationTimestamp?: string | null | undefined }

export function identity({ name, uid, creationTimestamp }: Metadata): { name: string; uid?: string; created?: string } {
  return { name, ...(uid ? { uid } : {}), ...(creationTimestamp ? { created: creationTimestamp } : {}) }
}
